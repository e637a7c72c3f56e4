import { withoutShedding } from '@millrace/testing';

/** Maximum time of any step on a busy machine, in milliseconds; no step waits that long by itself. */
export const patienceMs = 60_000;

/** Pipelines with a circuit of each app, by the prefix of its settings. */
const pipelinesOf = {
  PURCHASE: ['kafka'],
  SINK: ['s3', 'glue', 'kafka'],
  QUERY: ['redis', 's3', 'glue', 'athena', 'duckdb-reads'],
} as const;

/** Time of one attempt, in milliseconds. */
export const attemptMs = 2500;
/** Latency of a slow dependency, in milliseconds: above the breaker's limit for slow calls, below the attempt timeout. */
export const slowAnswerMs = 1700;
const slowCallMs = 1200;

// DuckDB's pipeline sees whole statements: the reading of one small file, and the work of DuckDB's process.
// Statements share a read that is under way, so those that join it late are quick.
const statement = { attemptMs: 6000, slowCallMs: 2500, slowCallRatio: 0.4 };
/** Latency of S3 when it is slow, in milliseconds. */
export const slowStoreMs = 3500;
// On a busy machine, the emulator of S3 may need more than a second for a call while it runs statements of Athena.
const store = { attemptMs: 4500, slowCallMs: 2500, slowCallRatio: 0.6 };
const limitsOf: Readonly<Record<string, typeof store>> = { 'duckdb-reads': statement, s3: store };

/** Limits of clients inside those of the pipeline. */
const more = {
  PURCHASE: {
    ...withoutShedding('PURCHASE'),
    PURCHASE_KAFKA_ANSWER_MS_MAX: 2000,
    PURCHASE_KAFKA_OPEN_MS_MAX: 2000,
    PURCHASE_KAFKA_CHECK_MS_MAX: 800,
  },
  // The registrar makes one call to the catalog at a time.
  SINK: { SINK_GLUE_BREAKER_MINIMUM_CALLS: 2, SINK_KAFKA_BREAKER_MINIMUM_CALLS: 2, SINK_RETRY_WAIT_MS_MAX: 1000, SINK_FLUSH_SECONDS: 1 },
  // Files in the memory of the worker, and results in that of the API, would be read without S3.
  QUERY: { ...withoutShedding('QUERY'), QUERY_DUCKDB_CACHE_MB: 0, QUERY_CACHE_STALE_MS_MAX: 0 },
} as const;

/** Circuits that open and close within seconds, and attempts that end soon. The bounds leave room for a busy machine. */
export function shortSettings(prefix: keyof typeof pipelinesOf): Record<string, string> {
  const settings: Record<string, number> = {};
  for (const pipeline of pipelinesOf[prefix]) {
    const limits = limitsOf[pipeline] ?? { attemptMs, slowCallMs, slowCallRatio: 0.6 };
    const breaker = {
      WINDOW_MS: 10_000,
      MINIMUM_CALLS: 3,
      SLOW_CALL_MS: limits.slowCallMs,
      SLOW_CALL_RATIO: limits.slowCallRatio,
      BREAK_DURATION_MS: 1000,
      BREAK_DURATION_MS_MAX: 2000,
      PROBES: 1,
      RAMP_MS: 0,
    };
    const name = `${prefix}_${pipeline.toUpperCase().replaceAll('-', '_')}`;
    for (const [key, value] of Object.entries(breaker)) settings[`${name}_BREAKER_${key}`] = value;
    settings[`${name}_ATTEMPT_TIMEOUT_MS`] = limits.attemptMs;
    settings[`${name}_TOTAL_TIMEOUT_MS`] = limits.attemptMs * 2;
  }
  return Object.fromEntries(Object.entries({ ...settings, ...more[prefix] }).map(([key, value]) => [key, String(value)]));
}
