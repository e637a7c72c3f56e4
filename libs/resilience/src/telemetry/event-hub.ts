import type { Clock } from '../time/clock.ts';
import type { PipelineEvent, PipelineEventOf, PipelineEvents, PipelineEventType } from './pipeline-event.ts';

type WithoutOrigin<Event> = Event extends PipelineEvent ? Omit<Event, 'pipeline' | 'atMs'> : never;

/** An event without the name of the pipeline and the time. */
export type PipelineEventDraft = WithoutOrigin<PipelineEvent>;

type Listener = (event: PipelineEvent) => void;

/** Delivers events to the listeners. Without a listener, an event costs one read of {@link EventHub.hasListeners}. */
export class EventHub implements PipelineEvents {
  /** Read it before you create an event. */
  hasListeners = false;
  /** Number of errors that listeners threw. */
  listenerErrors = 0;
  readonly #pipeline: string;
  readonly #clock: Clock;
  #listeners: readonly Listener[] = [];

  constructor(pipeline: string, clock: Clock) {
    this.#pipeline = pipeline;
    this.#clock = clock;
  }

  emit(draft: PipelineEventDraft): void {
    if (!this.hasListeners) return;
    const event = { ...draft, pipeline: this.#pipeline, atMs: this.#clock.now() } as PipelineEvent;
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        this.listenerErrors += 1;
      }
    }
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (event) => listener(event);
    this.#setListeners([...this.#listeners, own]);
    return () => this.#setListeners(this.#listeners.filter((other) => other !== own));
  }

  on<Type extends PipelineEventType>(type: Type, listener: (event: PipelineEventOf<Type>) => void): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as PipelineEventOf<Type>);
    });
  }

  #setListeners(listeners: readonly Listener[]): void {
    this.#listeners = listeners;
    this.hasListeners = listeners.length > 0;
  }
}
