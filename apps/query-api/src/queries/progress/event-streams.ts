import { principalKey, type PrincipalId } from '@millrace/runtime';
import { QueryError } from '../../errors.ts';

/** Streams of one authenticated caller at once. */
export const streamsOfCallerMax = 20;

/** Counts open streams, so that no more than a limit are held open, and no caller holds them all. */
export class EventStreams {
  readonly #streamsMax: number;
  readonly #ofCaller = new Map<string, number>();
  #open = 0;

  /** @param streamsMax streams of all callers */
  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  /**
   * Counts a stream until the returned function is called.
   *
   * @throws QueryError `overloaded` at a limit
   */
  open(caller: PrincipalId): () => void {
    const key = principalKey(caller);
    const own = this.#ofCaller.get(key) ?? 0;
    if (this.#open >= this.#streamsMax) throw tooMany(`${this.#streamsMax} streams of events are open, the limit QUERY_WAITERS_MAX.`);
    // Anonymous callers share no limit of one caller.
    if (caller.kind !== 'anonymous' && own >= streamsOfCallerMax)
      throw tooMany(`The caller has ${streamsOfCallerMax} open streams of events, the limit.`);
    this.#open += 1;
    this.#ofCaller.set(key, own + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#open -= 1;
      const left = this.#ofCaller.get(key)! - 1;
      if (left > 0) this.#ofCaller.set(key, left);
      else this.#ofCaller.delete(key);
    };
  }
}

function tooMany(fact: string): QueryError {
  return new QueryError('overloaded', `${fact} Close one, or ask for the query with ?wait.`, { retryAfterSeconds: 5 });
}
