import { checkLake, type Fault } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Claims, eventually, showsClosed, showsOpen } from './matrix/claims.ts';
import { dependencies, matrixRows, type MatrixCast, type MatrixRow } from './matrix/matrix-rows.ts';
import { startMatrixStack, type MatrixStack } from './matrix/matrix-stack.ts';
import { MatrixTraffic } from './matrix/matrix-traffic.ts';
import { paceOver, Pacing, slowedOrFailed } from './matrix/pace.ts';
import { slowAnswerMs } from './matrix/short-settings.ts';
import { Users } from './matrix/users.ts';
import { stack } from './stack.ts';

const troubles = {
  'gives no answer': (): Fault => ({ kind: 'black-hole' }),
  fails: ({ failure }: MatrixRow): Fault => failure,
  'is slow': ({ latencyMs = slowAnswerMs }: MatrixRow): Fault => ({ kind: 'slow', latencyMs }),
};

let matrix: MatrixStack;
let traffic: MatrixTraffic;
let cast: MatrixCast;

beforeAll(async () => {
  matrix = await startMatrixStack();
  traffic = new MatrixTraffic(matrix);
  await new Claims(matrix, traffic).lands();
  const { id, state } = await traffic.largeQuery();
  if (state !== 'succeeded') throw new Error(`the first query ${state}`);
  cast = { stack: matrix, traffic, finishedQuery: id, lateSink: undefined };
});
afterAll(async () => await matrix?.close());

describe.each(dependencies)('when %s', (dependency) => {
  beforeAll(async () => await eventually(`what needs ${dependency} to work`, matrixRows(cast)[dependency].works));

  it.each(Object.keys(troubles) as (keyof typeof troubles)[])(
    '%s: circuits open, users get the documented answers, all else works, and the circuits close by themselves',
    async (trouble) => {
      const row = matrixRows(cast)[dependency];
      const { proxy, when, troubled, spared, goesOn, works } = row;
      const refusedBefore = await refusalsBeside(troubled);
      const users = new Users(row.users);
      // The same users work in both phases, so that only the fault makes the difference.
      const usual = await paceOver(spared, 2000);
      const fault = troubles[trouble](row);
      const active = await proxy.inject(fault, when === undefined ? {} : { when });
      const pacing = new Pacing(spared);
      const lateSink = dependency === 'Kafka' ? await matrix.startLateSink() : undefined;
      try {
        const { circuits, behaves } = matrixRows({ ...cast, lateSink })[dependency];
        await Promise.all(circuits.map(showsOpen));
        const openMs = performance.now();
        // A slow dependency still answers a probe from time to time.
        await eventually(`what is documented for ${dependency}`, behaves);
        await eventually('what does not need it to go on', goesOn);
        expect(await refusalsBeside(troubled)).toEqual(refusedBefore);
        // No request waits for a dependency that it does not need, neither while calls still fail nor while circuits are open.
        const { before: untilOpen, since: whileOpen } = await pacing.stop(openMs);
        expect(slowedOrFailed(usual, untilOpen)).toEqual([]);
        expect(slowedOrFailed(usual, whileOpen)).toEqual([]);
        await active.clear();
        await Promise.all(circuits.map(showsClosed));
      } finally {
        await active.clear();
        await Promise.all([users.stop(), pacing.stop()]);
        await lateSink?.service.kill('SIGKILL');
      }
      await eventually(`what needs ${dependency} to work again`, works);
    },
  );
});

it('after all faults, every acknowledged purchase is in the table exactly once', async () => {
  await traffic.landed();
  const check = await checkLake({ endpoint: stack.awsUrl, bucket: matrix.bucket, table: stack.table });
  expect(check.faults).toEqual([]);
  expect([...traffic.acknowledged].filter((id) => !check.eventIds.has(id))).toEqual([]);
  expect(traffic.acknowledged.size).toBeGreaterThan(dependencies.length);
});

/** Calls refused because a circuit is open, of every pipeline that is not in trouble. */
async function refusalsBeside(troubled: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const watched of [matrix.purchase, matrix.sink, matrix.queryApi, matrix.queryWorker]) {
    for (const [pipeline, count] of await watched.refusals())
      if (!troubled.includes(pipeline)) counts[`${watched.service.name} ${pipeline}`] = count;
  }
  return counts;
}
