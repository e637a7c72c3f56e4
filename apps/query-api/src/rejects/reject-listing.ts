import { rejectLimits, type RejectList } from '@millrace/contracts';
import type { RejectPlace } from '@millrace/operations';
import { RequestParameters } from '../request-parameters.ts';

/** Longest reason that a filter names, in characters. */
const reasonCharactersMax = 2000;
/** Steps of the counts by time, at most. */
const bucketsMax = 200;
const bucketSeconds = [60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000] as const;

/** A page of the list of rejects. */
export interface RejectListRequest {
  readonly stream?: string | undefined;
  readonly partition?: number | undefined;
  readonly reason?: string | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly fromMs?: number | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly toMs?: number | undefined;
  readonly limit: number;
  readonly after?: RejectPlace | undefined;
}

/**
 * Reads a page of the list from a query string.
 *
 * @throws QueryError `validation` that names every parameter that is wrong
 */
export function rejectListRequestOf(query: Readonly<Record<string, string | string[] | undefined>>): RejectListRequest {
  const parameters = new RequestParameters(query, ['stream', 'partition', 'reason', 'from', 'to', 'limit', 'cursor']);
  const request = {
    stream: parameters.text('stream', 64),
    partition: parameters.wholeNumber('partition', 0, 999_999),
    reason: parameters.text('reason', reasonCharactersMax),
    fromMs: parameters.time('from'),
    toMs: parameters.time('to'),
    limit: parameters.wholeNumber('limit', 1, rejectLimits.pageRejectsMax) ?? rejectLimits.pageRejectsDefault,
    after: parameters.read('cursor', placeOf, 'must be the "next" of a page of this list'),
  };
  parameters.check();
  return request;
}

/** The cursor that continues after a place. */
export function cursorOf({ landedAtMs, partition, offset }: RejectPlace): string {
  return `${landedAtMs}-${partition}-${offset}`;
}

function placeOf(cursor: string): RejectPlace | undefined {
  const match = /^(\d{1,15})-(\d{1,6})-(\d{1,16})$/.exec(cursor);
  return match === null ? undefined : { landedAtMs: Number(match[1]), partition: Number(match[2]), offset: Number(match[3]) };
}

/** Counts rejects by reason and by time. */
export class RejectCounts {
  readonly #reasons = new Map<string, { count: number; oldestMs: number; newestMs: number }>();
  readonly #times: number[] = [];

  add(reason: string, atMs: number): void {
    this.#times.push(atMs);
    const known = this.#reasons.get(reason);
    if (known === undefined) this.#reasons.set(reason, { count: 1, oldestMs: atMs, newestMs: atMs });
    else {
      known.count += 1;
      known.oldestMs = Math.min(known.oldestMs, atMs);
      known.newestMs = Math.max(known.newestMs, atMs);
    }
  }

  get reasons(): RejectList['reasons'] {
    return [...this.#reasons]
      .toSorted(([, a], [, b]) => b.count - a.count)
      .slice(0, rejectLimits.reasonsMax)
      .map(([reason, { count, oldestMs, newestMs }]) => ({
        reason,
        count,
        oldestAt: new Date(oldestMs).toISOString(),
        newestAt: new Date(newestMs).toISOString(),
      }));
  }

  /** The counts in the smallest steps of which there are not too many. */
  get steps(): Pick<RejectList, 'bucketSeconds' | 'buckets'> {
    let [oldest, newest] = [Number.POSITIVE_INFINITY, 0];
    for (const atMs of this.#times) [oldest, newest] = [Math.min(oldest, atMs), Math.max(newest, atMs)];
    const seconds = bucketSeconds.find((one) => (newest - oldest) / 1000 / one < bucketsMax) ?? bucketSeconds.at(-1)!;
    const counts = new Map<number, number>();
    for (const atMs of this.#times) {
      const begin = Math.floor(atMs / 1000 / seconds) * seconds * 1000;
      counts.set(begin, (counts.get(begin) ?? 0) + 1);
    }
    return {
      bucketSeconds: seconds,
      buckets: [...counts].toSorted(([a], [b]) => a - b).map(([ms, count]) => ({ at: new Date(ms).toISOString(), count })),
    };
  }
}
