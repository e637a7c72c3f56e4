import type { Clock } from '../time/clock.ts';
import type { PipelineEvent, PipelineEventOf, PipelineEvents, PipelineEventType } from './pipeline-event.ts';

type WithoutOrigin<Event> = Event extends PipelineEvent ? Omit<Event, 'pipeline' | 'atMs'> : never;

/** An event before it knows where and when. */
export type PipelineEventDraft = WithoutOrigin<PipelineEvent>;

type Listener = (event: PipelineEvent) => void;

/** Hands events to those who listen. With no listener an event costs one look at {@link EventHub.heard}. */
export class EventHub implements PipelineEvents {
  /** Whether anybody listens: ask before making an event. */
  heard = false;
  /** What listeners threw. */
  listenerErrors = 0;
  private listeners: readonly Listener[] = [];

  constructor(
    private readonly pipeline: string,
    private readonly clock: Clock,
  ) {}

  emit(draft: PipelineEventDraft): void {
    if (!this.heard) return;
    const event = { ...draft, pipeline: this.pipeline, atMs: this.clock.now() } as PipelineEvent;
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch {
        this.listenerErrors += 1;
      }
    }
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (event) => listener(event);
    this.listen([...this.listeners, own]);
    return () => this.listen(this.listeners.filter((other) => other !== own));
  }

  on<Type extends PipelineEventType>(type: Type, listener: (event: PipelineEventOf<Type>) => void): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as PipelineEventOf<Type>);
    });
  }

  private listen(listeners: readonly Listener[]): void {
    this.listeners = listeners;
    this.heard = listeners.length > 0;
  }
}
