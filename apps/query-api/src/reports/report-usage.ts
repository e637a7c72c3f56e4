import type { RedisClient } from '@millrace/redis';
import type { Pipeline } from '@millrace/resilience';

/** How often a report was asked for, and when last. */
export interface Usage {
  readonly requests: number;
  readonly lastRequestedAt: string;
}

/** Usage by the name of the report. */
export type UsageByReport = Readonly<Record<string, Usage>>;

/** Counts in Redis how often each report is asked for. Nothing waits for it and nothing fails without it. */
export class ReportUsage {
  readonly #redis: RedisClient;
  readonly #key: string;
  readonly #write: Pipeline;
  readonly #read: Pipeline;

  /**
   * @param write a pipeline that is silent where it fails
   * @param read a pipeline that answers an empty object where it fails
   */
  constructor(redis: RedisClient, queueName: string, write: Pipeline, read: Pipeline) {
    this.#redis = redis;
    this.#key = `millrace:${queueName}:report-usage`;
    this.#write = write;
    this.#read = read;
  }

  /** Counts one request. Resolves whether or not it was counted. */
  async count(report: string, nowMs: number): Promise<void> {
    await this.#write.executeOutcome(
      async () => {
        await this.#redis.hset(this.#key, `at:${report}`, new Date(nowMs).toISOString());
        await this.#redis.hincrby(this.#key, `requests:${report}`, 1);
      },
      { idempotent: false },
    );
  }

  /** Returns the counts; empty while they cannot be read. */
  async read(reports: readonly string[]): Promise<UsageByReport> {
    const usage = await this.#read.execute(async () => usageOf(await this.#redis.hgetall(this.#key), reports), { idempotent: true });
    return usage as UsageByReport;
  }
}

function usageOf(fields: Readonly<Record<string, string>>, reports: readonly string[]): UsageByReport {
  return Object.fromEntries(
    reports.flatMap((report) => {
      const requests = Number(fields[`requests:${report}`] ?? 0);
      const lastRequestedAt = fields[`at:${report}`];
      return requests > 0 && lastRequestedAt !== undefined ? [[report, { requests, lastRequestedAt }]] : [];
    }),
  );
}
