import { setTimeout as pause } from 'node:timers/promises';
import { submit } from './query-calls.ts';

/** Submissions at a fixed rate. */
export interface OpenLoop {
  /** Time from the moment at which each was due to its answer, in milliseconds: a slow answer delays no other submission. */
  readonly ms: readonly number[];
  /** Submissions that were not accepted. */
  readonly refused: number;
}

/** Submits statements at a fixed rate, whether or not earlier ones were answered. */
export async function submitAtRate(url: string, perSecond: number, seconds: number): Promise<OpenLoop> {
  const ms: number[] = [];
  let refused = 0;
  const submitOne = async (n: number, due: number): Promise<void> => {
    const { status } = await submit(url, { sql: 'SELECT ? AS n', parameters: [n] }, 0);
    ms.push(performance.now() - due);
    if (status !== 202) refused += 1;
  };
  const all: Promise<void>[] = [];
  const start = performance.now();
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = start + (n * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await pause(early);
    all.push(submitOne(n, due));
  }
  await Promise.all(all);
  return { ms, refused };
}
