import type { Pipeline, PipelineEvent, PipelineEventOf, PipelineEventType, PipelinePatch, PipelineSettings, PipelineSnapshot } from '@millrace/resilience';

/** An event without what every event of one pipeline shares. */
export type Fed = PipelineEvent extends infer E ? (E extends PipelineEvent ? Omit<E, 'pipeline' | 'atMs'> : never) : never;

/** A pipeline whose events and figures a test sets by hand. It runs no calls. */
export class FedPipeline {
  readonly patches: PipelinePatch[] = [];
  readonly orders: string[] = [];
  readonly dependency: string;
  readonly #listeners = new Set<(event: PipelineEvent) => void>();
  figures: PipelineSnapshot;
  current: PipelineSettings;

  constructor(
    readonly name: string,
    settings: Partial<PipelineSettings> = {},
    snapshot: Partial<PipelineSnapshot> = {},
  ) {
    this.dependency = settings.dependency ?? name;
    this.current = { name, dependency: this.dependency, timeout: { attemptMs: 1000, totalMs: 3000 }, fallbacks: [], fallbackConcurrencyMax: 10, chaos: { allowed: false, rules: [] }, ...settings };
    this.figures = {
      name,
      dependency: this.dependency,
      inFlight: 0,
      zombies: 0,
      fallbacks: { inFlight: 0, concurrencyMax: 10 },
      totals: {
        calls: 0,
        results: { succeeded: 0, cached: 0, 'fell-back': 0, failed: 0, rejected: 0, aborted: 0 },
        attempts: 0,
        retries: 0,
        timeouts: 0,
        rejections: {
          'circuit-open': 0,
          'bulkhead-full': 0,
          'bulkhead-wait-exceeded': 0,
          shed: 0,
          'deadline-exceeded': 0,
          'retry-budget-spent': 0,
          'fallbacks-full': 0,
          'pipeline-closed': 0,
        },
        fallbacks: { cache: 0, queue: 0, stub: 0, silent: 0 },
        fallbackFailures: 0,
        chaosInjections: 0,
        listenerErrors: 0,
      },
      closed: false,
      ...snapshot,
    };
  }

  /** This as what the registry takes. */
  get pipeline(): Pipeline {
    return this as unknown as Pipeline;
  }

  get inFlight(): number {
    return this.figures.inFlight;
  }

  readonly events = {
    subscribe: (listener: (event: PipelineEvent) => void): (() => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    on: <T extends PipelineEventType>(type: T, listener: (event: PipelineEventOf<T>) => void): (() => void) =>
      this.events.subscribe((event) => {
        if (event.type === type) listener(event as PipelineEventOf<T>);
      }),
  };

  /** Lets these events happen. */
  feed(...events: Fed[]): void {
    for (const event of events) for (const listener of this.#listeners) listener({ pipeline: this.name, atMs: 0, ...event });
  }

  settings(): PipelineSettings {
    return this.current;
  }

  snapshot(): PipelineSnapshot {
    return this.figures;
  }

  update(patch: PipelinePatch): void {
    this.patches.push(patch);
  }

  forceOpen(): void {
    this.orders.push('forced-open');
  }

  forceClosed(): void {
    this.orders.push('forced-closed');
  }

  disable(): void {
    this.orders.push('disabled');
  }

  auto(): void {
    this.orders.push('auto');
  }

  async drain(): Promise<void> {
    this.orders.push('drain');
  }

  close(): void {
    this.orders.push('close');
  }
}

/** Figures of a breaker. */
export function breakerFigures(state: 'closed' | 'ramping' | 'open' | 'half-open', extra: Partial<NonNullable<PipelineSnapshot['breaker']>> = {}): NonNullable<PipelineSnapshot['breaker']> {
  return { mode: 'auto', state, sinceMs: 0, calls: 0, failures: 0, slowCalls: 0, failureRatio: 0, slowCallRatio: 0, ...extra };
}
