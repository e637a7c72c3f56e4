/** Pipelines of each app, by the prefix of its settings. */
export const pipelinesOf = {
  PURCHASE: [] as string[],
  SINK: [] as string[],
  QUERY: ['redis', 's3', 'glue', 'athena', 'duckdb-reads'],
} as const;

/** How late an answer of a slow dependency is, in milliseconds: slower than the breaker likes, sooner than the attempt's end. */
export const slowAnswerMs = 1200;

/** Circuits that open and close within seconds, and attempts that end soon. The bounds leave room for a busy machine. */
export function shortSettings(prefix: keyof typeof pipelinesOf): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const pipeline of pipelinesOf[prefix]) {
    const breaker = { WINDOW_MS: 6000, VOLUME_MIN: 3, SLOW_SHARE_MAX: 0.8, OPEN_MS: 1500, OPEN_MS_MAX: 2000, PROBES: 1 };
    // DuckDB's pipeline sees whole statements, each of which is a process, a catalog's answer and many reads.
    const isStatement = pipeline === 'duckdb-reads';
    const name = `${prefix}_${pipeline.toUpperCase().replaceAll('-', '_')}`;
    for (const [key, value] of Object.entries({ ...breaker, SLOW_MS: isStatement ? 4000 : 800 })) settings[`${name}_BREAKER_${key}`] = String(value);
    settings[`${name}_ATTEMPT_TIMEOUT_MS`] = isStatement ? '6000' : '2500';
    settings[`${name}_TOTAL_TIMEOUT_MS`] = '7000';
  }
  return settings;
}
