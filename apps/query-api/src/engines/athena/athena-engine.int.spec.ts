import { setTimeout as delay } from 'node:timers/promises';
import { openTestLake } from '../../testing-lake.ts';
import { conformanceRows, engineConformance } from '../query-engine.conformance.ts';
import { AthenaEngine } from './athena-engine.ts';

engineConformance('athena', async () => {
  const lake = await openTestLake();
  await lake.land(conformanceRows);
  const engine = new AthenaEngine(
    lake.aws.athena,
    { workgroup: 'primary', database: lake.database, outputLocation: `s3://${lake.bucket}/_results/athena/`, pollMsMin: 20, pollMsMax: 500 },
    async (_operation, run, signal) => await run(signal ?? AbortSignal.timeout(10_000)),
    async (ms, signal) => await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
  );
  return {
    engine,
    database: lake.database,
    async close() {
      await engine.close();
      await lake.close();
    },
  };
});
