import { glueClient, objectSettingsOf, s3Client } from '@millrace/lake';
import type { SinkConfig } from '../config.ts';
import { sinkSpecs } from '../resilience.ts';

/** Clients of the lake. The signal of the pipeline's attempt ends each call; no shorter client timeout applies. */
export function sinkClients(config: SinkConfig): {
  readonly s3: ReturnType<typeof s3Client>;
  readonly glue: ReturnType<typeof glueClient>;
} {
  const { s3, glue } = sinkSpecs(config);
  return {
    s3: s3Client({ connectTimeoutMs: s3.timeout.connectMs, idleTimeoutMs: 0 }, {}, objectSettingsOf(config)),
    glue: glueClient({ connectTimeoutMs: glue.timeout.connectMs, idleTimeoutMs: 0 }),
  };
}
