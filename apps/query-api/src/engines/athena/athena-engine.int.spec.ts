import { setTimeout as delay } from 'node:timers/promises';
import { LocalAthena } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsClients } from '../../aws-clients.ts';
import { QueryStopped } from '../../errors.ts';
import { openTestLake, testParts, type TestLake, type TestPurchase } from '../../testing-lake.ts';
import { reports } from '../../reports/reports.ts';
import { bindReport } from '../../reports/report.ts';
import { reportConformance } from '../../reports/reports.conformance.ts';
import { engineConformance, skipNote, type ConformanceSubject } from '../query-engine.conformance.ts';
import { AthenaEngine } from './athena-engine.ts';
import { engineRequest, runToEnd } from '../../testing-engine.ts';

function engineOver({ database, bucket, aws: { athena } }: Pick<TestLake, 'database' | 'bucket' | 'aws'>): AthenaEngine {
  return new AthenaEngine(
    athena,
    { workgroup: 'primary', database, outputLocation: `s3://${bucket}/_results/athena/`, pollMsMin: 20, pollMsMax: 500 },
    // As the pipeline does: a call that has no answer is repeated.
    async ({ signal = AbortSignal.timeout(10_000) }, run) => await run(signal).catch(async () => await run(signal)),
    async (ms, signal) => await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
  );
}

async function open(rows: readonly TestPurchase[]): Promise<ConformanceSubject> {
  const lake = await openTestLake();
  await lake.land(rows);
  const engine = engineOver(lake);
  return {
    engine,
    database: lake.database,
    async close() {
      await engine.close();
      await lake.close();
    },
  };
}

engineConformance('athena on the emulator', open, {
  lacking: {
    'decimal types': 'the emulator of Athena reports none',
    'nested values': 'Athena has another text form of nested values',
    positions: 'the emulator of Athena reports none',
    'scan limit': 'a workgroup of Athena sets the limit',
    stop: 'the emulator of Athena does not stop a statement',
  },
});
reportConformance('athena on the emulator', open);

it('a table into which nothing has landed gives a report without rows', async () => {
  const lake = await openTestLake();
  const engine = engineOver(lake);
  try {
    const { sql, parameters } = bindReport(
      reports.find(({ name }) => name === 'sales-by-genre')!,
      {},
    );
    const result = await engine.run(engineRequest(sql, { parameters, signal: AbortSignal.timeout(30_000) }));
    expect(result.columns.map(({ name }) => name)).toEqual(['genre', 'purchases', 'buyers', 'average_age']);
    for await (const batch of result.rows) expect(batch).toEqual([]);
  } finally {
    await engine.close();
    await lake.close();
  }
});

const { trinoUrl = '', trinoMissing: missing } = testParts;

/** The lake with a client of the local Athena. */
function throughLocalAthena(lake: TestLake, { url }: LocalAthena): Pick<TestLake, 'database' | 'bucket' | 'aws'> {
  const { region, endpoint } = testParts;
  const aws = awsClients({ region, endpoint, s3Endpoint: undefined, glueEndpoint: undefined, athenaEndpoint: url });
  return { database: lake.database, bucket: lake.bucket, aws };
}

async function openLocal(rows: readonly TestPurchase[]): Promise<ConformanceSubject> {
  const lake = await openTestLake();
  await lake.land(rows);
  const athena = await LocalAthena.start({ trinoUrl });
  const engine = engineOver(throughLocalAthena(lake, athena));
  return {
    engine,
    database: lake.database,
    async close() {
      await engine.close();
      await athena.close();
      await lake.close();
    },
  };
}

engineConformance('athena', openLocal, {
  missing,
  lacking: { 'nested values': 'Athena has another text form of nested values', 'scan limit': 'a workgroup of Athena sets the limit' },
});
reportConformance('athena', openLocal, missing);

describe.skipIf(missing !== undefined)(`Athena with faults${skipNote(missing)}`, () => {
  let lake: TestLake;
  let athena: LocalAthena;
  let engine: AthenaEngine;
  beforeAll(async () => {
    lake = await openTestLake();
    athena = await LocalAthena.start({ trinoUrl });
    engine = engineOver(throughLocalAthena(lake, athena));
  });
  afterAll(async () => {
    await engine?.close();
    await athena?.close();
    await lake?.close();
  });
  const numbers = 'SELECT x FROM UNNEST(sequence(1, 20)) t(x) ORDER BY x';
  const answer = Array.from({ length: 20 }, (_, index) => [String(index + 1)]);

  it.each([
    ['throttle', 'StartQueryExecution', 1],
    ['throttle', 'GetQueryExecution', 1],
    ['throttle', 'GetQueryResults', 1],
    ['lose-answer', 'StartQueryExecution', 1],
    ['lose-answer', 'GetQueryExecution', 1],
    ['lose-answer', 'GetQueryResults', 1],
    ['requeue', 'GetQueryExecution', 2],
    ['slow-down', 'GetQueryExecution', 2],
    ['short-pages', 'GetQueryResults', 2],
  ] as const)('a query survives the fault %s of %s, as one execution', async (kind, operation, times) => {
    const before = athena.executions.length;
    const fault = athena.inject(kind, { operation, times });
    const { rows } = await runToEnd(engine, engineRequest(numbers));
    expect(rows).toEqual(answer);
    expect(fault.hits).toBe(times);
    expect(athena.executions).toHaveLength(before + 1);
  });

  it('a query whose failure persists is unavailable', async () => {
    athena.inject('slow-down', { times: 100 });
    await expect(engine.run(engineRequest(numbers))).rejects.toMatchObject({ code: 'unavailable' });
    athena.faults.clear();
  });

  it('a query that was cancelled does not continue in Athena', async () => {
    const controller = new AbortController();
    const onStarted = async (): Promise<void> => void setTimeout(() => controller.abort(new QueryStopped('cancelled')), 300);
    const endless =
      'SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 10000)) c(z) WHERE x * y % 7 = z % 5';
    await expect(engine.run(engineRequest(endless, { signal: controller.signal, onStarted }))).rejects.toMatchObject({ code: 'cancelled' });
    expect(athena.executions.at(-1)?.state).toBe('cancelled');
  });
});
