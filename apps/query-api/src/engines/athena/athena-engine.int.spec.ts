import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openTestLake, type TestLake, type TestPurchase } from '../../testing-lake.ts';
import { reports } from '../../reports/reports.ts';
import { bindReport } from '../../reports/report.ts';
import { reportConformance } from '../../reports/reports.conformance.ts';
import { engineConformance, type ConformanceSubject } from '../query-engine.conformance.ts';
import { AthenaEngine } from './athena-engine.ts';
import { engineRequest } from '../../testing-engine.ts';

function engineOver(lake: TestLake): AthenaEngine {
  return new AthenaEngine(
    lake.aws.athena,
    {
      workgroup: 'primary',
      database: lake.database,
      outputLocation: `s3://${lake.bucket}/_results/athena/`,
      pollMsMin: 20,
      pollMsMax: 500,
    },
    async ({ signal }, run) => await run(signal ?? AbortSignal.timeout(10_000)),
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

engineConformance('athena', open, {
  lacking: {
    'decimal types': 'the emulator of Athena tells none',
    'nested values': 'Athena gives nested values as text of its own',
    positions: 'the emulator of Athena tells none',
    'scan limit': 'a workgroup of Athena sets the limit',
    stop: 'the emulator of Athena does not stop a statement',
  },
});
reportConformance('athena', open);

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
