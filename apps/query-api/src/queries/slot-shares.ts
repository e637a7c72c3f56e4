import { principalKey, type PrincipalId } from '@millrace/runtime';

/** Shortest wait of a query that was set aside, in milliseconds. */
const waitMsMin = 250;
/** Added for each further query of the same principal that is set aside, in milliseconds. It bounds the work of polling them. */
const waitMsEach = 10;
/** Longest wait, in milliseconds. */
const waitMsMax = 5000;

/**
 * Shares the slots of one engine on one worker. A principal holds at most all slots but one, so that endless statements leave a slot to
 * the other principals. Anonymous callers together may hold all slots. A single slot is shared by all callers in turn.
 */
export class SlotShares {
  readonly #held = new Map<string, number>();
  readonly #aside = new Map<string, Set<string>>();
  readonly #heldMax: number;

  /** @param slots queries that the worker runs at once on the engine */
  constructor(slots: number) {
    this.#heldMax = Math.max(1, slots - 1);
  }

  /**
   * Takes a slot for a query, or sets the query aside.
   *
   * @returns undefined when the query has its slot; otherwise the time after which to try again, in milliseconds
   */
  take(queryId: string, principal: PrincipalId | undefined): number | undefined {
    if (principal === undefined || principal.kind === 'anonymous') return undefined;
    const key = principalKey(principal);
    const held = this.#held.get(key) ?? 0;
    const aside = this.#aside.get(key) ?? new Set();
    if (held < this.#heldMax) {
      this.#held.set(key, held + 1);
      aside.delete(queryId);
      if (aside.size === 0) this.#aside.delete(key);
      return undefined;
    }
    aside.add(queryId);
    this.#aside.set(key, aside);
    return Math.min(waitMsMin + waitMsEach * (aside.size - 1), waitMsMax);
  }

  /** Gives back the slot of a query. */
  release(principal: PrincipalId | undefined): void {
    if (principal === undefined || principal.kind === 'anonymous') return;
    const key = principalKey(principal);
    const held = (this.#held.get(key) ?? 0) - 1;
    if (held > 0) {
      this.#held.set(key, held);
      return;
    }
    this.#held.delete(key);
    // Another worker may have taken the waiting queries. Those still here are counted again.
    this.#aside.delete(key);
  }
}
