import { describe, expect, it } from 'vitest';
import { QueryStopped } from '../../errors.ts';
import { engineRequest, runToEnd } from '../../testing-engine.ts';
import { openTestLake, testParts, type TestLake, type TestPurchase } from '../../testing-lake.ts';
import { reportConformance } from '../../reports/reports.conformance.ts';
import { conformanceRows, engineConformance, skipNote, type ConformanceSubject } from '../query-engine.conformance.ts';
import { TrinoEngine } from './trino-engine.ts';

const { trinoUrl: url = '', trinoMissing: missing } = testParts;

function engineOver({ database }: Pick<TestLake, 'database'>): TrinoEngine {
  return new TrinoEngine(
    { url, catalog: 'hive', schema: database },
    async ({ signal }, run) => await run(signal ?? AbortSignal.timeout(30_000)),
  );
}

/** Trino's id of the query in the id of an execution. */
function queryOf(executionId: string): string {
  return /\d{8}_\d{6}_\d{5}_\w{5}/.exec(executionId)![0];
}

async function open(rows: readonly TestPurchase[]): Promise<ConformanceSubject> {
  const lake = await openTestLake();
  await lake.land(rows);
  return { engine: engineOver(lake), database: lake.database, executionOf: queryOf, close: async () => await lake.close() };
}

engineConformance('trino', open, { missing });
reportConformance('trino', open, missing);

describe.skipIf(missing !== undefined)(`Trino${skipNote(missing)}`, () => {
  const engine = engineOver({ database: 'default' });
  const about = async (id: string, column: string): Promise<unknown> => {
    const sql = `SELECT ${column} FROM system.runtime.queries WHERE query_id = ?`;
    return (await runToEnd(engine, engineRequest(sql, { parameters: [id] }))).rows[0]?.[0];
  };
  const endless =
    'SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 10000)) c(z) WHERE x * y % 7 = z % 5';

  it('Trino has ended a cancelled statement when the run returns', async () => {
    const controller = new AbortController();
    let id = '';
    const onStarted = async (executionId: string): Promise<void> => {
      id = queryOf(executionId);
      if (executionId.includes('executing')) setTimeout(() => controller.abort(new QueryStopped('cancelled')), 300);
    };
    await expect(engine.run(engineRequest(endless, { signal: controller.signal, onStarted }))).rejects.toMatchObject({ code: 'cancelled' });
    expect([await about(id, 'state'), await about(id, 'error_code')]).toEqual(['FAILED', 'USER_CANCELED']);
  });

  it('the engine ends a statement whose reader has enough', async () => {
    let id = '';
    const onStarted = async (executionId: string): Promise<void> => void (id = queryOf(executionId));
    const { rows } = await engine.run(
      engineRequest('SELECT x, y, z FROM UNNEST(sequence(1, 1000)) a(x), UNNEST(sequence(1, 1000)) b(y), UNNEST(sequence(1, 100)) c(z)', {
        onStarted,
      }),
    );
    for await (const batch of rows) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(await about(id, 'state')).not.toBe('RUNNING');
  });

  it('Trino runs no statement that was submitted and not followed', async () => {
    const controller = new AbortController();
    let id = '';
    const onStarted = async (executionId: string): Promise<void> => {
      id = queryOf(executionId);
      controller.abort(new QueryStopped('handed-over'));
    };
    await expect(engine.run(engineRequest('SELECT 1', { signal: controller.signal, onStarted }))).rejects.toMatchObject({
      code: 'handed-over',
    });
    expect(await about(id, 'state')).toBeUndefined();
  });

  it('Trino shows the caller, the source and the query to its operators', async () => {
    let id = '';
    const onStarted = async (executionId: string): Promise<void> => void (id = queryOf(executionId));
    await runToEnd(engine, engineRequest('SELECT 1', { user: 'ann é', onStarted }));
    expect([await about(id, '"user"'), await about(id, 'source')]).toEqual(['ann%20%C3%A9', 'millrace']);
  });

  it('the engine reports the bytes that Trino read from S3', async () => {
    const lake = await openTestLake();
    try {
      await lake.land(conformanceRows);
      const { result } = await runToEnd(engineOver(lake), engineRequest('SELECT max(genre), min(user_age) FROM purchases'));
      expect(result.bytesScanned()).toBeGreaterThan(100);
    } finally {
      await lake.close();
    }
  });
});
