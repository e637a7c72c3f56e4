import { homedir, tmpdir } from 'node:os';
import { purchases } from '@millrace/contracts';
import { S3ObjectStore } from '@millrace/lake';
import { DuckDbEngine } from './engines/duckdb/duckdb-engine.ts';
import { rangeReader } from './engines/duckdb/s3-reads.ts';
import { LakeSources } from './lake-sources.ts';
import { testParts, type TestLake } from './testing-lake.ts';

/** Limits that a test may set; the others are small. */
export interface TestDuckDbLimits {
  readonly memoryMiB?: number;
  readonly processMemoryMiB?: number;
  readonly tempMiB?: number;
  readonly startMsMax?: number;
  readonly filesMax?: number;
}

/** DuckDB over a test's own lake, without a pipeline around it. */
export function testDuckDb(
  { aws: { s3 }, database, catalog }: TestLake,
  { memoryMiB = 128, processMemoryMiB = 600, tempMiB = 64, startMsMax = 30_000, filesMax = 1000 }: TestDuckDbLimits = {},
): DuckDbEngine {
  return new DuckDbEngine(
    {
      limits: { memoryMiB, processMemoryMiB, threads: 1, tempMiB },
      tempRoot: tmpdir(),
      httpfsPath: testParts.httpfsPath,
      home: homedir(),
      startMsMax,
      readMsMax: 15_000,
      keptBytesMax: 1024 * 1024,
    },
    new LakeSources({
      streams: [purchases],
      places: { database, catalogOf: () => catalog, storeOf: (bucket) => new S3ObjectStore(s3, bucket) },
      filesMax,
      readRange: rangeReader(s3, 5),
    }),
    async ({ signal }, run) => await run(signal!),
  );
}
