/** Pipelines of each app, by the prefix of its settings. */
export const pipelinesOf = {
  PURCHASE: ['kafka'],
  SINK: ['s3', 'glue'],
  QUERY: ['redis', 's3', 'glue', 'athena', 'duckdb'],
} as const;

/** How late an answer of a slow dependency is, in milliseconds: slower than the breaker likes, sooner than the attempt's end. */
export const slowAnswerMs = 1500;

/** Circuits that open and close within seconds, and attempts that end soon. The bounds leave room for a busy machine. */
export function shortSettings(prefix: keyof typeof pipelinesOf): Record<string, string> {
  const breaker = { BREAKER_WINDOW_MS: '4000', BREAKER_VOLUME_MIN: '3', BREAKER_SLOW_MS: '1000', BREAKER_OPEN_MS: '1500', BREAKER_OPEN_MS_MAX: '2000', BREAKER_PROBES: '1' };
  const settings = { ...breaker, ATTEMPT_TIMEOUT_MS: '3000', TOTAL_TIMEOUT_MS: '6000' };
  return Object.fromEntries(pipelinesOf[prefix].flatMap((pipeline) => Object.entries(settings).map(([key, value]) => [`${prefix}_${pipeline.toUpperCase()}_${key}`, value])));
}
