import { setTimeout as pause } from 'node:timers/promises';
import type { EngineName, QueryView } from '@millrace/contracts';
import { ask, patiently, post } from '../http.ts';

/** Number of queries by their end. */
export interface CrowdEnds {
  readonly succeeded: number;
  /** Queries that failed, by their reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Queries that have no end, or that the API no longer knows. */
  readonly lost: number;
}

const lookMs = 250;

/** Queries that were submitted together. */
export class QueryCrowd {
  readonly #url: string;
  readonly #views = new Map<string, QueryView | undefined>();

  private constructor(url: string, ids: readonly string[]) {
    this.#url = url;
    for (const id of ids) this.#views.set(id, undefined);
  }

  /** Submits each statement as a separate query. Every one must be accepted. */
  static async submit(url: string, queries: readonly { readonly sql: string; readonly engine: EngineName }[]): Promise<QueryCrowd> {
    const ids = await Promise.all(
      queries.map(async (query) => {
        const body = { ...query, cache: false, timeoutMs: 600_000 };
        const answer = await patiently(async () => await post<QueryView>(`${url}/v1/queries`, body));
        if (answer.status !== 202) throw new Error(`a query was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
        return answer.body.id;
      }),
    );
    return new QueryCrowd(url, ids);
  }

  get ids(): readonly string[] {
    return [...this.#views.keys()];
  }

  /** Polls each query that has not ended, and returns the number of ended ones. A poll without an answer is repeated later. */
  async look(): Promise<number> {
    const open = [...this.#views].filter(([, view]) => !isEnded(view)).map(([id]) => id);
    for (let from = 0; from < open.length; from += 20)
      await Promise.all(
        open.slice(from, from + 20).map(async (id) => {
          const answer = await ask<QueryView>(`${this.#url}/v1/queries/${id}`).catch(() => undefined);
          if (answer?.status === 200) this.#views.set(id, answer.body);
        }),
      );
    return [...this.#views.values()].filter(isEnded).length;
  }

  /** Waits until this many have ended, or the time is over. */
  async untilEnded(count: number, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ((await this.look()) < count && performance.now() < deadline) await pause(lookMs);
  }

  /** The queries in a state at the last poll. */
  inState(state: QueryView['state']): number {
    return [...this.#views.values()].filter((view) => view?.state === state).length;
  }

  ends(): CrowdEnds {
    const views = [...this.#views.values()];
    const failed: Record<string, number> = {};
    for (const view of views.filter((one) => one?.state === 'failed')) {
      const reason = view!.error?.type.split(':').at(-1) ?? 'without a reason';
      failed[reason] = (failed[reason] ?? 0) + 1;
    }
    return { succeeded: this.inState('succeeded'), failed, lost: views.filter((view) => !isEnded(view)).length };
  }
}

function isEnded(view: QueryView | undefined): boolean {
  return view !== undefined && ['succeeded', 'failed', 'cancelled'].includes(view.state);
}
