import type { EngineName } from '@millrace/contracts';
import { DelayedError, WaitingError, Worker } from 'bullmq';
import type { RedisClient } from '@millrace/redis';
import { QueryStopped } from '../errors.ts';
import { KeptProgress } from './kept-progress.ts';
import { endsChannel } from './query-ends.ts';
import { outcomeOf, queueNameOf, type QueryJob, type QueryQueue } from './query-queue.ts';
import { queuePrefix } from './queue-prefix.ts';
import type { QueryJobData, QueryOutcome, ReadingProgress } from './query-record.ts';
import type { QueryRun } from './run-query.ts';
import { SlotShares } from './slot-shares.ts';

/** Settings of a worker. */
export interface QueryWorkerSettings {
  readonly queueName: string;
  /**
   * Maximum number of concurrent queries on each engine. It is a bulkhead: queries that are stuck in one engine do not delay those of
   * another. One caller leaves a slot to others.
   */
  readonly concurrency: ReadonlyMap<EngineName, number>;
  /** Time without a heartbeat after which another worker takes a query over, in milliseconds. */
  readonly lockMs: number;
  /** Number of takeovers after which a query fails. */
  readonly takeoversMax: number;
  /** Interval between two polls for a request to cancel, in milliseconds. */
  readonly cancelPollMs: number;
}

/** Events of the worker. */
export interface QueryWorkerEvents {
  queryTaken(job: { id: string; data: QueryJobData; resumed: boolean }): void;
  /** This worker no longer runs the query: it ended, was handed over, or failed. Follows each `queryTaken`. */
  queryReleased(): void;
  /** A query ended, and Redis has its outcome. Called once per query, even if the query ran twice or was given up. */
  queryEnded(job: { id: string; data: QueryJobData }, outcome: QueryOutcome): void;
  queryHandedOver(job: { id: string }): void;
  queryStalled(id: string): void;
  failed(error: Error): void;
}

/** Minimum and maximum interval between two checks for events, in milliseconds. It grows with the age of the query. */
const coverWaitMsMin = 100;
const coverWaitMsMax = 1000;

function isStarted({ progress }: QueryJob): boolean {
  return typeof progress === 'object' && 'startedAt' in progress;
}

/** Takes queries from the queue and runs them. */
export class QueryWorker {
  readonly #workers: readonly Worker<QueryJobData, QueryOutcome>[];
  readonly #redis: RedisClient;
  readonly #queue: QueryQueue;
  readonly #settings: QueryWorkerSettings;
  readonly #run: (query: QueryRun) => Promise<QueryOutcome>;
  readonly #isCovered: (data: QueryJobData) => Promise<boolean>;
  readonly #events: QueryWorkerEvents;
  readonly #running = new Map<string, AbortController>();
  readonly #shares: ReadonlyMap<EngineName, SlotShares>;

  /**
   * @param redis a separate connection with an offline queue and without a limit of retries: a worker waits for Redis
   * @param queue where requests to cancel are looked up and progress is kept
   * @param run runs one query; rejects with {@link QueryStopped} `handed-over` when a successor shall go on
   * @param isCovered tells whether the layout of a query holds the events that the query waits for
   */
  constructor(
    redis: RedisClient,
    queue: QueryQueue,
    settings: QueryWorkerSettings,
    run: (query: QueryRun) => Promise<QueryOutcome>,
    isCovered: (data: QueryJobData) => Promise<boolean>,
    events: QueryWorkerEvents,
  ) {
    this.#redis = redis;
    this.#queue = queue;
    this.#settings = settings;
    this.#run = run;
    this.#isCovered = isCovered;
    this.#events = events;
    this.#shares = new Map([...settings.concurrency].map(([engine, slots]) => [engine, new SlotShares(slots)]));
    this.#workers = [...settings.concurrency].map(([engine, concurrency]) => {
      const worker = new Worker<QueryJobData, QueryOutcome>(
        queueNameOf(settings.queueName, engine),
        async (job, token) => await this.#process(job as QueryJob, token),
        {
          connection: redis,
          prefix: queuePrefix,
          autorun: false,
          concurrency,
          lockDuration: settings.lockMs,
          stalledInterval: Math.ceil(settings.lockMs / 2),
          maxStalledCount: settings.takeoversMax,
        },
      );
      worker.on('completed', (job, outcome) => this.#onEnded({ id: job.id!, data: job.data }, outcome));
      worker.on('failed', (job) => {
        const outcome = job === undefined ? undefined : outcomeOf(job as QueryJob);
        if (job !== undefined && outcome !== undefined) this.#onEnded({ id: job.id!, data: job.data }, outcome);
      });
      worker.on('error', (error) => events.failed(error));
      worker.on('stalled', (id) => events.queryStalled(id));
      return worker;
    });
  }

  /** Begins to take queries. */
  start(): void {
    for (const worker of this.#workers) worker.run().catch((error: Error) => this.#events.failed(error));
  }

  get runningCount(): number {
    return this.#running.size;
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  /** Takes no more queries, gives those that run some time to end, and hands the rest over to a successor. */
  async close(drainMs: number): Promise<void> {
    const closed = Promise.all(
      this.#workers.map(async (worker) => await worker.close().catch((error: Error) => this.#events.failed(error))),
    );
    const timer = setTimeout(() => {
      for (const controller of this.#running.values()) controller.abort(new QueryStopped('handed-over'));
    }, drainMs);
    await closed;
    clearTimeout(timer);
    this.#redis.disconnect();
  }

  #onEnded(job: { readonly id: string; readonly data: QueryJobData }, outcome: QueryOutcome): void {
    // The waiters poll, so a lost message only delays them.
    void this.#redis.publish(endsChannel(this.#settings.queueName), job.id).catch(() => undefined);
    this.#events.queryEnded(job, outcome);
    const { bytesScanned = 0, billedBytes = bytesScanned } = outcome.statistics ?? {};
    // Without an answer of Redis the query costs its principal nothing.
    if (outcome.stale === undefined)
      void this.#queue.countScanned(job.data, billedBytes).catch((error: unknown) => this.#events.failed(error as Error));
    if (job.data.cacheKey !== undefined) void this.#settleFollowers(job.id);
  }

  /** Each poll of a follower gives it its end or a separate job. When a poll fails here, that of a client does the same. */
  async #settleFollowers(id: string): Promise<void> {
    try {
      for (const follower of await this.#queue.followersOf(id)) {
        await this.#queue.find(follower);
        await this.#redis.publish(endsChannel(this.#settings.queueName), follower);
      }
    } catch (error) {
      this.#events.failed(error as Error);
    }
  }

  async #process(job: QueryJob, token: string | undefined): Promise<QueryOutcome> {
    const { engine, principal } = job.data;
    await this.#untilCovered(job, token);
    const shares = this.#shares.get(engine)!;
    const waitMs = shares.take(job.id!, principal);
    if (waitMs === undefined) {
      try {
        return await this.#runTaken(job, token);
      } finally {
        shares.release(principal);
      }
    }
    // A cancelled query needs no slot to end.
    if ((await this.#queue.cancelRequested(job.id!).catch(() => undefined)) !== undefined) return await this.#runTaken(job, token);
    await job.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  }

  /**
   * Lets a query whose events are not there yet wait in the queue, where it holds no slot. A query that has timed out or is cancelled
   * runs, and ends at once.
   */
  async #untilCovered(job: QueryJob, token: string | undefined): Promise<void> {
    const { waitFor, coverBy = 0, deadline = Number.POSITIVE_INFINITY, submittedAt } = job.data;
    const now = Date.now();
    if (waitFor === undefined || isStarted(job) || now >= Math.min(coverBy, deadline)) return;
    // Without an answer, the next poll does it.
    if (await this.#isCovered(job.data).catch(() => false)) return;
    if ((await this.#queue.cancelRequested(job.id!).catch(() => undefined)) !== undefined) return;
    const waitMs = Math.min(coverWaitMsMax, Math.max(coverWaitMsMin, (now - submittedAt) / 4));
    await job.moveToDelayed(Math.min(Date.now() + waitMs, coverBy, deadline), token);
    throw new DelayedError();
  }

  async #runTaken(job: QueryJob, token: string | undefined): Promise<QueryOutcome> {
    const id = job.id!;
    const controller = new AbortController();
    this.#running.set(id, controller);
    const progress = typeof job.progress === 'object' && 'startedAt' in job.progress ? job.progress : undefined;
    this.#events.queryTaken({ id, data: job.data, resumed: progress !== undefined });
    const { engine } = job.data;
    const kept = new KeptProgress(async (saved) => await this.#queue.saveProgress(engine, id, saved));
    let reading: (() => ReadingProgress) | undefined;
    const watch = this.#watch(id, controller, async () => await (reading === undefined ? kept.retry() : kept.note(reading())));
    try {
      const outcome = await this.#run({
        id,
        data: job.data,
        progress,
        saveProgress: async (saved) => await kept.save(saved),
        onReading: (read) => (reading = read),
        signal: controller.signal,
      });
      const { reason } = controller.signal as { readonly reason: unknown };
      if (outcome.state !== 'cancelled' || !(reason instanceof QueryStopped) || reason.requestedAt === undefined) return outcome;
      // Two clocks differ: that of the API, which accepted the request, and that of the worker.
      return { ...outcome, cancelMs: Math.max(0, outcome.finishedAt - reason.requestedAt) };
    } catch (error) {
      if (!(error instanceof QueryStopped)) throw error;
      // A query that cannot be handed over stays: its lock runs out, and another worker takes it over as from a dead one.
      await this.#queue.handOver(engine, id, token).catch((failure: Error) => this.#events.failed(failure));
      this.#events.queryHandedOver({ id });
      throw new WaitingError();
    } finally {
      watch();
      this.#running.delete(id);
      this.#events.queryReleased();
    }
  }

  /**
   * Polls for a request to cancel at once and then regularly, and saves the progress. A failed poll is repeated by the next one.
   */
  #watch(id: string, controller: AbortController, keepProgress: () => Promise<void>): () => void {
    const look = async (): Promise<void> => {
      const requestedAt = await this.#queue.cancelRequested(id).catch(() => undefined);
      if (requestedAt !== undefined) controller.abort(new QueryStopped('cancelled', requestedAt));
      await keepProgress();
    };
    void look();
    const timer = setInterval(() => void look(), this.#settings.cancelPollMs);
    return () => clearInterval(timer);
  }
}
