import type { CrawlReport } from '@millrace/lake';
import { Queue, Worker } from 'bullmq';
import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from '../queries/queue-prefix.ts';

/** Longest crawl of all tables, in milliseconds. The job's lock is renewed meanwhile. */
const crawlMsMax = 600_000;
/** Finished crawls that Redis keeps. */
const keptMax = 100;
/** Name of the scheduler and of its jobs. */
const jobName = 'crawl';

/** Settings of {@link CrawlWorker}. */
export interface CrawlWorkerSettings {
  /** Prefix of the queues' names. */
  readonly queueName: string;
  /** Seconds between two crawls. */
  readonly everySeconds: number;
}

/** Events of a crawl, for logs and metrics. */
export interface CrawlEvents {
  crawled(report: CrawlReport): void;
  failed(error: unknown): void;
}

/** Name of the queue of crawls. */
export function crawlQueueName(name: string): string {
  return `${name}-crawl`;
}

/**
 * Compares the tables with the catalog on a schedule. The schedule is in Redis: however many workers there are, one of them runs each
 * crawl.
 */
export class CrawlWorker {
  readonly #redis: RedisClient;
  readonly #settings: CrawlWorkerSettings;
  readonly #events: CrawlEvents;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #closing = new AbortController();

  /**
   * @param redis a connection that waits until Redis is back
   * @param crawl crawls every table; it reports each table by itself
   */
  constructor(
    redis: RedisClient,
    settings: CrawlWorkerSettings,
    crawl: (signal: AbortSignal) => Promise<CrawlReport[]>,
    events: CrawlEvents,
  ) {
    this.#redis = redis;
    this.#settings = settings;
    this.#events = events;
    const connection = { connection: redis, prefix: queuePrefix };
    const name = crawlQueueName(settings.queueName);
    this.#queue = new Queue(name, connection);
    this.#queue.on('error', (error) => events.failed(error));
    this.#worker = new Worker(
      name,
      async () => {
        try {
          const reports = await crawl(AbortSignal.any([this.#closing.signal, AbortSignal.timeout(crawlMsMax)]));
          for (const report of reports) events.crawled(report);
          return reports.map(({ table, verdict, differences }) => ({ table, verdict, differences: differences.length }));
        } catch (error) {
          events.failed(error);
          throw error;
        }
      },
      { ...connection, autorun: false, concurrency: 1 },
    );
    this.#worker.on('error', (error) => events.failed(error));
  }

  /** Sets the schedule, the same for every worker, and begins to take crawls. */
  start(): void {
    const kept = { count: keptMax };
    const schedule = async (): Promise<void> => {
      // A crawl that takes longer than its interval must not meet the next one.
      await this.#queue.setGlobalConcurrency(1);
      const every = this.#settings.everySeconds * 1000;
      await this.#queue.upsertJobScheduler(jobName, { every }, { name: jobName, opts: { removeOnComplete: kept, removeOnFail: kept } });
    };
    schedule().catch((error: unknown) => this.#events.failed(error));
    this.#worker.run().catch((error: unknown) => this.#events.failed(error));
  }

  /** Ends a running crawl. The next worker runs the next one. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#worker.close().catch((error: unknown) => this.#events.failed(error));
    await this.#queue.close().catch((error: unknown) => this.#events.failed(error));
    this.#redis.disconnect();
  }
}
