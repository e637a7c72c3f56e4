import { problemOf, type QueryState } from '@millrace/contracts';
import { Queue, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { QueryError } from '../errors.ts';
import type { CallGuard } from '../guards.ts';
import type { QueryJobData, QueryOutcome, QueryProgress, QueryRecord } from './query-record.ts';

/** Prefix of every key in Redis. */
export const queuePrefix = 'millrace';

/** Name of the one kind of job. */
const jobName = 'query';

/** Settings of the queue. */
export interface QueryQueueSettings {
  readonly name: string;
  /** Queries that may wait. The check and the add are two steps, so that concurrent submissions may exceed it by their number. */
  readonly jobsMax: number;
  readonly retentionSeconds: number;
  readonly retentionJobsMax: number;
}

type QueryJobQueue = Queue<QueryJobData, QueryOutcome, string, QueryJobData, QueryOutcome, string>;

export type QueryJob = Job<QueryJobData, QueryOutcome, string, QueryProgress>;

/** The queries, as BullMQ jobs: one job per query, under the query's id. Redis holds their state, S3 their results. */
export class QueryQueue {
  #opened: Promise<QueryJobQueue> | undefined;
  readonly #redis: Redis;
  readonly #settings: QueryQueueSettings;
  readonly #guard: CallGuard;

  /**
   * @param redis a connection without offline queue, so that a call fails at once while Redis is away
   * @param guard wraps every call
   */
  constructor(redis: Redis, settings: QueryQueueSettings, guard: CallGuard) {
    this.#redis = redis;
    this.#settings = settings;
    this.#guard = guard;
  }

  /**
   * Adds a query. Adding it again under its id changes nothing.
   *
   * @throws QueryError `overloaded` when as many queries wait as may, `unavailable` when Redis does not answer
   */
  async submit(id: string, data: QueryJobData): Promise<void> {
    const { jobsMax, retentionSeconds, retentionJobsMax } = this.#settings;
    const kept = { age: retentionSeconds, count: retentionJobsMax };
    const waiting = await this.#call('count', async () => await (await this.#open()).getJobCountByTypes('waiting', 'delayed', 'prioritized'));
    if (waiting >= jobsMax) throw new QueryError('overloaded', `${jobsMax} queries are waiting, as many as may. Try again later.`, { retryAfterSeconds: 5 });
    await this.#call('submit', async () => {
      const queue = await this.#open();
      // A query that fails is a job that returns; what BullMQ would call a failed attempt is a bug or a dead worker.
      await queue.add(jobName, data, { jobId: id, timestamp: data.submittedAt, attempts: 1, removeOnComplete: kept, removeOnFail: kept });
    });
  }

  /**
   * A query, or undefined when none of that id is known (any more).
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async find(id: string): Promise<QueryRecord | undefined> {
    return await this.#call('find', async () => {
      const queue = await this.#open();
      const job = (await queue.getJob(id)) as QueryJob | undefined;
      if (job === undefined) return undefined;
      const progress = typeof job.progress === 'object' && 'startedAt' in job.progress ? job.progress : undefined;
      const outcome = outcomeOf(job);
      const state = outcome?.state ?? (await this.#openState(id, job));
      return { id, data: job.data, state, progress, outcome };
    });
  }

  /**
   * Asks for a query to be cancelled; the worker that has it, or takes it, will.
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async requestCancel(id: string): Promise<void> {
    await this.#call('cancel', async () => {
      await this.#redis.set(this.#cancelKey(id), '1', 'EX', this.#settings.retentionSeconds);
    });
  }

  /** Whether someone asked for the query to be cancelled. */
  async cancelRequested(id: string): Promise<boolean> {
    return await this.#call('cancel-requested', async () => (await this.#redis.exists(this.#cancelKey(id))) === 1);
  }

  /** Queries that wait and queries that run. */
  async depth(): Promise<{ readonly waiting: number; readonly running: number }> {
    return await this.#call('depth', async () => {
      const queue = await this.#open();
      const { active = 0, waiting = 0, delayed = 0, prioritized = 0 } = await queue.getJobCounts('active', 'waiting', 'delayed', 'prioritized');
      return { waiting: waiting + delayed + prioritized, running: active };
    });
  }

  async ping(): Promise<void> {
    await this.#call('ping', async () => await this.#redis.ping());
  }

  async close(): Promise<void> {
    const queue = await this.#opened?.catch(() => undefined);
    await queue?.close().catch(() => undefined);
    this.#redis.disconnect();
  }

  /**
   * BullMQ asks Redis for its version once per queue and keeps a failure of that for ever, so that a queue made while Redis is away
   * never works. One that cannot be opened is dropped, and the next call makes another.
   */
  async #open(): Promise<QueryJobQueue> {
    this.#opened ??= this.#make();
    return await this.#opened;
  }

  async #make(): Promise<QueryJobQueue> {
    const queue: QueryJobQueue = new Queue(this.#settings.name, { connection: this.#redis, prefix: queuePrefix, skipWaitingForReady: true });
    // Every call tells its own failure.
    queue.on('error', () => undefined);
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      this.#opened = undefined;
      void queue.close().catch(() => undefined);
      throw error;
    }
  }

  async #openState(id: string, job: QueryJob): Promise<QueryState> {
    if ((await this.#redis.exists(this.#cancelKey(id))) === 1) return 'cancelling';
    // A query that was handed over waits again; for its caller it has begun.
    const begun = typeof job.progress === 'object' && 'startedAt' in job.progress;
    return begun || (await job.getState()) === 'active' ? 'running' : 'queued';
  }

  #cancelKey(id: string): string {
    return `${queuePrefix}:${this.#settings.name}:cancel:${id}`;
  }

  // Every call may be repeated: a query is added under its own id, and the rest reads or sets the same value.
  async #call<T>(operation: string, run: () => Promise<T>): Promise<T> {
    try {
      return await this.#guard({ operation, idempotent: true }, run);
    } catch (error) {
      if (error instanceof QueryError) throw error;
      throw new QueryError('unavailable', 'The queue of queries (Redis) does not answer.', { retryAfterSeconds: 2, cause: error });
    }
  }
}

function outcomeOf(job: QueryJob): QueryOutcome | undefined {
  if (job.finishedOn === undefined) return undefined;
  // BullMQ's client gives an empty object or null before there is a value.
  if (job.failedReason === undefined && job.returnvalue?.state !== undefined) return job.returnvalue;
  const startedAt = typeof job.progress === 'object' && 'startedAt' in job.progress ? job.progress.startedAt : (job.processedOn ?? job.finishedOn);
  return {
    state: 'failed',
    startedAt,
    finishedAt: job.finishedOn,
    error: problemOf('engine-failed', { detail: 'Every worker that ran this query died over it, or could not tell its end.' }),
  };
}
