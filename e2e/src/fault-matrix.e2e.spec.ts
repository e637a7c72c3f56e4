import { checkLake, waitUntil, type Fault } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matrixRows, patience, type Circuit, type MatrixDependency, type MatrixRow } from './matrix/matrix-rows.ts';
import { startMatrixStack, type MatrixStack } from './matrix/matrix-stack.ts';
import { MatrixTraffic } from './matrix/matrix-traffic.ts';
import { attemptMs } from './matrix/short-settings.ts';
import { p99Of, Users } from './matrix/users.ts';
import { shownIn, type WatchedService } from './matrix/watched-service.ts';
import { stack } from './stack.ts';

const dependencies: readonly MatrixDependency[] = ['Kafka', 'Redis', 'S3', 'Glue', 'Athena', "DuckDB's S3 reads"];

const troubles = {
  'gives no answer': (): Fault => ({ kind: 'black-hole' }),
  'fails': ({ failure }: MatrixRow): Fault => failure,
  'is slow': ({ slowMs }: MatrixRow): Fault => ({ kind: 'slow', latencyMs: slowMs }),
};

let matrix: MatrixStack;
let traffic: MatrixTraffic;
let finishedQuery: string;
let lateSink: WatchedService | undefined;

const row = (dependency: MatrixDependency): MatrixRow => matrixRows(matrix, traffic, lateSink, finishedQuery)[dependency];

beforeAll(async () => {
  matrix = await startMatrixStack();
  traffic = new MatrixTraffic(matrix);
  expect((await traffic.buy()).status).toBe(202);
  await traffic.landed(patience.timeoutMs);
  const [query, report] = await Promise.all([traffic.query('duckdb'), traffic.report()]);
  expect([query.state, report.state]).toEqual(['succeeded', 'succeeded']);
  if ('id' in query) finishedQuery = query.id;
});
afterAll(async () => await matrix?.close());

describe.each(dependencies)('when %s', (dependency) => {
  it.each(Object.keys(troubles) as (keyof typeof troubles)[])('%s: circuits open, users get what is documented, all else goes on, and the circuits close by themselves', async (trouble) => {
    const { proxy, when, works, ...before } = row(dependency);
    await eventually(`what needs ${dependency} to work`, works);
    const refusedBefore = await refusalsBeside(before.troubled);
    const fault = troubles[trouble](row(dependency));
    const active = await proxy.inject(fault, fault.kind === 'refuse' || when === undefined ? {} : { when });
    const users = new Users(before.users);
    try {
      if (dependency === 'Kafka') lateSink = await matrix.startLateSink();
      const { circuits, behaves, spared, goesOn, troubled } = row(dependency);
      await Promise.all(circuits.map(async (circuit) => await showsOpen(circuit)));
      // A slow dependency is let answer a probe from time to time.
      await eventually(`what is documented for ${dependency}`, behaves);
      expect(await p99Of(spared, 33)).toBeLessThan(attemptMs);
      await goesOn();
      expect(await refusalsBeside(troubled)).toEqual(refusedBefore);
      await active.clear();
      await Promise.all(circuits.map(async (circuit) => await showsClosed(circuit)));
    } finally {
      await active.clear();
      await users.stop();
      await lateSink?.service.kill();
      lateSink = undefined;
    }
    await eventually(`what needs ${dependency} to work again`, works);
  });
});

it('after all that, every acknowledged purchase stands in the table exactly once', async () => {
  await traffic.landed(patience.timeoutMs);
  const check = await checkLake({ endpoint: stack.awsUrl, bucket: matrix.bucket, table: stack.table });
  expect(check.faults).toEqual([]);
  expect([...traffic.acknowledged].filter((id) => !check.eventIds.has(id))).toEqual([]);
  expect(traffic.acknowledged.size).toBeGreaterThan(dependencies.length);
});

/** Every place shows the circuit open; they are looked at one after the other, and it may probe in between. */
async function showsOpen([service, pipeline]: Circuit): Promise<void> {
  const seen = new Set<string>();
  await eventually(`the circuit ${pipeline} of ${service.service.name} to be shown open`, async () => {
    const shown = await service.circuit(pipeline);
    for (const place of shownIn) if (shown[place] === true) seen.add(place);
    expect([...seen].toSorted()).toEqual(shownIn.toSorted());
  });
}

/** Every place shows it closed, at the same time. */
async function showsClosed([service, pipeline]: Circuit): Promise<void> {
  await eventually(`the circuit ${pipeline} of ${service.service.name} to be shown closed`, async () => {
    expect(await service.circuit(pipeline)).toEqual(Object.fromEntries(shownIn.map((place) => [place, false])));
  });
}

/** Calls refused because a circuit is open, of every pipeline that is not in trouble. */
async function refusalsBeside(troubled: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { service, ...rest } of [matrix.purchase, matrix.sink, matrix.queryApi, matrix.queryWorker].map((watched) => ({ service: watched.service, watched }))) {
    for (const [pipeline, count] of await rest.watched.refusals()) if (!troubled.includes(pipeline)) counts[`${service.name} ${pipeline}`] = count;
  }
  return counts;
}

/** Waits until a claim holds. */
async function eventually(what: string, claim: () => Promise<void>): Promise<void> {
  await waitUntil(
    what,
    async () => {
      await claim();
      return true;
    },
    patience,
  );
}
