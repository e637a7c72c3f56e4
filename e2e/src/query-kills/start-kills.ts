import { setTimeout as pause } from 'node:timers/promises';
import { LocalAthena, waitUntil, type ServiceProcess } from '@millrace/testing';
import { QueryCrowd } from './query-crowd.ts';

/** Workers killed around their call to Athena that starts a query. */
export interface StartKills {
  readonly kills: number;
  readonly succeeded: number;
  /** Queries with several executions. */
  readonly executedTwice: number;
  /** Queries without an execution. */
  readonly neverExecuted: number;
}

type StartWorker = () => Promise<ServiceProcess>;

/** When to kill: before the call is carried out, before its answer, or some milliseconds after its answer. */
const moments = ['before', 'after', 'later'] as const;

/** Kills the only worker around the Start call of one query after another. Its successor is the next to die. */
export async function killAroundStart(
  count: number,
  apiUrl: string,
  { athena, onCall }: { readonly athena: LocalAthena; readonly onCall: (kill: Parameters<typeof LocalAthena.start>[0]['onCall']) => void },
  startWorker: StartWorker,
  tell: (line: string) => void,
): Promise<StartKills> {
  let worker = await startWorker();
  const ids: string[] = [];
  let succeeded = 0;
  for (let n = 0; n < count; n += 1) {
    const moment = moments[n % moments.length]!;
    const victim = worker;
    let isOver = false;
    onCall((operation, when) => {
      if (isOver || operation !== 'StartQueryExecution' || when !== moment) return;
      isOver = true;
      victim.signal('SIGKILL');
    });
    const known = athena.executions.length;
    const query = await QueryCrowd.submit(apiUrl, [{ sql: `SELECT ${n} AS kill`, engine: 'athena' }]);
    ids.push(...query.ids);
    if (moment === 'later') {
      await waitUntil('the execution', () => athena.executions.length > known, { timeoutMs: 60_000, everyMs: 1 });
      await pause((n * 7) % 50);
      victim.signal('SIGKILL');
    }
    await victim.ended;
    worker = await startWorker();
    await query.untilEnded(1, 120_000);
    succeeded += query.ends().succeeded;
    if ((n + 1) % 10 === 0) tell(`${n + 1} of ${count} workers killed around Start: ${succeeded} queries succeeded`);
  }
  onCall(undefined);
  await worker.kill('SIGKILL');
  const executions = ids.map((id) => athena.executionsOf(id));
  return {
    kills: count,
    succeeded,
    executedTwice: executions.filter((found) => found > 1).length,
    neverExecuted: executions.filter((found) => found === 0).length,
  };
}
