import { createHash } from 'node:crypto';
import type { Stream } from '@millrace/contracts';
import { authFrom, createLogger, startService, type RunningService } from '@millrace/runtime';
import { readQueryConfig, type QueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';
import { testEnvironment, type TestLake } from './testing-lake.ts';

/** An entry of `MILLRACE_AUTH_API_KEYS`: the caller `name`, whose key is `<name>-key`. */
export function testKey(name: string, scopes: string): string {
  return `${name}:${createHash('sha256').update(`${name}-key`).digest('hex')}:${scopes}`;
}

/** Starts the API over a lake, with the API keys of its callers. */
export async function startTestApi(
  lake: Pick<TestLake, 'bucket' | 'database'>,
  keys: readonly string[],
  { streams, more = {} }: { readonly streams?: readonly Stream[]; readonly more?: Readonly<Record<string, string>> } = {},
): Promise<{ api: RunningService; config: QueryConfig }> {
  const config = readQueryConfig(testEnvironment(lake, { MILLRACE_AUTH_API_KEYS: keys.join(), ...more }));
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  const module = QueryApiModule.of(config, logger, streams);
  return { api: await startService({ name: 'query-api', module, port: 0, logger, auth: authFrom(config), admission: 'http' }), config };
}
