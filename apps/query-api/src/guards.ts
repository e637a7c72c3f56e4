import type { CatalogGuard, StoreGuard } from '@millrace/lake';
import type { AthenaGuard } from './engines/athena/athena-engine.ts';
import type { RedisGuard } from './queries/query-queue.ts';

/** What stands around every call that leaves the process. */
export interface Guards {
  readonly s3: StoreGuard;
  readonly glue: CatalogGuard;
  readonly athena: AthenaGuard;
  readonly redis: RedisGuard;
}
