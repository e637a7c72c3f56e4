import { problemOf, queryLimits, type EngineName, type QueryList, type QueryState } from '@millrace/contracts';
import { DeadlineExceededError } from '@millrace/resilience';
import type { Principal } from '@millrace/runtime';
import { Queue, type Job } from 'bullmq';
import type { RedisClient } from '@millrace/redis';
import { QueryError } from '../errors.ts';
import type { CallGuard, RequestLimits } from '../guards.ts';
import { unanswered } from '../unanswered.ts';
import { leaderVisibleMs } from './cache/cached-answers.ts';
import { AnsweredQueries, type AnsweredQuery } from './cache/answered-queries.ts';
import { DailyBudget } from './budget/daily-budget.ts';
import { queuePrefix } from './queue-prefix.ts';
import { changesChannel } from './query-ends.ts';
import { QueryIndex } from './query-index.ts';
import { listQueries, type ListRequest } from './query-listing.ts';
import type { QueryJobData, QueryOutcome, QueryProgress, QueryRecord } from './query-record.ts';

/** Name of the one kind of job. */
const jobName = 'query';

/** Life of the claim of an id for one engine, in seconds: longer than the submission that makes it can take. */
const claimSeconds = 600;

/** Settings of the queues. */
export interface QueryQueueSettings {
  /** Prefix of the queues' names. */
  readonly name: string;
  /** Engines that there are queries for. A query for another is not found. */
  readonly engines: readonly EngineName[];
  /**
   * Maximum number of queries that wait for each engine. The check and the add are two steps, so that concurrent submissions may exceed
   * it by their
   * number.
   */
  readonly jobsMax: number;
  readonly retentionSeconds: number;
  /** Maximum number of finished queries that are kept for each engine. */
  readonly retentionJobsMax: number;
  /** Bytes that the queries of one principal may scan on one day (UTC). Default 0: no limit. */
  readonly dailyBytesMax?: number;
}

/** Name of the queue of one engine. */
export function queueNameOf(name: string, engine: EngineName): string {
  return `${name}-${engine}`;
}

type QueryJobQueue = Queue<QueryJobData, QueryOutcome, string, QueryJobData, QueryOutcome, string>;

export type QueryJob = Job<QueryJobData, QueryOutcome, string, QueryProgress>;

/**
 * The queries, as BullMQ jobs: one job per query, under the query's id. Redis holds their state, S3 their results.
 *
 * Each engine has its own queue, so queries for a failing engine do not delay those for another.
 */
export class QueryQueue {
  readonly #opened = new Map<EngineName, Promise<QueryJobQueue>>();
  readonly #redis: RedisClient;
  readonly #settings: QueryQueueSettings;
  readonly #guard: CallGuard;
  readonly #now: () => number;
  readonly #index: QueryIndex;
  readonly #answered: AnsweredQueries;
  readonly #budget: DailyBudget;

  /**
   * @param redis a connection without offline queue, so that a call fails at once while Redis is down
   * @param guard wraps every call
   * @param now epoch milliseconds
   */
  constructor(redis: RedisClient, settings: QueryQueueSettings, guard: CallGuard, now: () => number = Date.now) {
    this.#redis = redis;
    this.#now = now;
    this.#settings = settings;
    this.#guard = guard;
    const { name, retentionSeconds, retentionJobsMax, jobsMax, engines, dailyBytesMax = 0 } = settings;
    this.#budget = new DailyBudget(redis, { name, bytesMax: dailyBytesMax });
    // An entry must outlive its query, which may wait, then run, and is kept for `retentionSeconds` after its end.
    const ageMsMax = retentionSeconds * 1000 + queryLimits.timeoutMsMax * 2;
    // Half of the entries may be queries without a job.
    this.#index = new QueryIndex(redis, { name, ageMsMax, entriesMax: (retentionJobsMax + jobsMax) * engines.length * 2 });
    this.#answered = new AnsweredQueries(redis, { name, retentionSeconds, entriesMax: retentionJobsMax * engines.length });
  }

  /**
   * Adds a query to those of its engine, and returns whether it is there. Adding it again under its id changes nothing. An id that was just
   * used for another engine is not taken, since the id names the results.
   *
   * @throws QueryError `overloaded` when the queue of the engine or the bulkhead of Redis is full; `too-many-requests` when the budget of
   *   the day is used up; `unavailable` when Redis does not answer; `deadline-exceeded`
   */
  async submit(id: string, data: QueryJobData, limits: RequestLimits = {}): Promise<boolean> {
    const { jobsMax } = this.#settings;
    const { engine } = data;
    // One guarded call for both: each further one counts against the limit of attempts for a request.
    const waiting = await this.#call(
      'count',
      async () => {
        await this.#budget.check(data.principal, this.#now());
        return await (await this.#open(engine)).getJobCountByTypes('waiting', 'delayed', 'prioritized');
      },
      limits,
    );
    if (waiting >= jobsMax)
      throw new QueryError('overloaded', `${jobsMax} queries are waiting for ${engine}, the limit QUERY_QUEUE_JOBS_MAX. Try again later.`, {
        retryAfterSeconds: 5,
      });
    return await this.#call(
      'submit',
      async () => {
        if (!(await this.#claim(id, data))) return false;
        await this.#addJob(id, data);
        return true;
      },
      limits,
    );
  }

  /**
   * Adds a query that needs no separate run: one with an end, or one that follows a running one. Adding it again under its id changes
   * nothing.
   *
   * @returns false for an id that was just used for another engine
   * @throws QueryError `unavailable` when Redis does not answer, `deadline-exceeded`
   */
  async submitAnswered(id: string, query: AnsweredQuery, limits: RequestLimits = {}): Promise<boolean> {
    return await this.#call(
      'submit-answered',
      async () => {
        if (!(await this.#claim(id, query.data))) return false;
        await this.#answered.add(id, query);
        return true;
      },
      limits,
    );
  }

  /**
   * Ends a query that follows another one, and returns its end. The first end is kept.
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async endFollowing(id: string, outcome: QueryOutcome, limits: RequestLimits = {}): Promise<QueryOutcome> {
    return await this.#call('end-following', async () => await this.#answered.end(id, outcome), limits);
  }

  /** The queries that wait for the result of this one. */
  async followersOf(id: string): Promise<string[]> {
    return await this.#call('followers', async () => await this.#answered.followersOf(id));
  }

  /**
   * Finds a query; undefined when no query of that id is kept, or `isVisible` refuses it.
   *
   * @param isVisible decides by the job's data alone, so that a hidden query costs no further call to Redis
   * @param engine of the query, where it is known. Default: the queues of all engines are searched
   * @throws QueryError `unavailable` when Redis does not answer, `deadline-exceeded`
   */
  async find(
    id: string,
    limits: RequestLimits = {},
    isVisible: (data: QueryJobData) => boolean = () => true,
    engine?: EngineName,
  ): Promise<QueryRecord | undefined> {
    const engines = engine === undefined ? this.#settings.engines : [engine];
    return await this.#call(
      'find',
      async () => {
        const [answered, ...jobs] = await Promise.all([this.#answered.find(id), ...engines.map(async (one) => await this.#jobOf(one, id))]);
        return await this.#recordOf(
          id,
          answered,
          jobs.find((found) => found !== undefined),
          isVisible,
        );
      },
      limits,
    );
  }

  /**
   * The query with its place among those that wait for its engine; without one when Redis does not answer. It takes no signal: a service
   * that stops aborts its waits, and then answers them.
   */
  async withPlace(record: QueryRecord, { deadline }: Pick<RequestLimits, 'deadline'> = {}): Promise<QueryRecord> {
    if (record.state !== 'queued') return record;
    return await this.#call('place', async () => await this.#placed(record), { deadline }).catch(() => record);
  }

  /**
   * Lists queries from the newest on, see {@link listQueries}.
   *
   * @throws QueryError `unavailable` when Redis does not answer, `deadline-exceeded`
   */
  async list(request: ListRequest, caller: Principal, limits: RequestLimits = {}): Promise<QueryList> {
    return await this.#call(
      'list',
      async () => {
        return await listQueries(request, caller, {
          newest: (whose, before, until) => this.#index.newest(whose, before, until),
          find: async ({ id, engine }, isWanted) => {
            if (!this.#settings.engines.includes(engine)) return undefined;
            const [answered, job] = await Promise.all([this.#answered.find(id), this.#jobOf(engine, id)]);
            const record = await this.#recordOf(id, answered, job, isWanted);
            return record === undefined ? undefined : await this.#placed(record);
          },
        });
      },
      limits,
    );
  }

  /**
   * Asks for a query to be cancelled; the worker that has it, or takes it, will.
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async requestCancel(id: string, limits: RequestLimits = {}): Promise<void> {
    await this.#call(
      'cancel',
      async () => {
        // The first request counts for the time that the cancel takes.
        await this.#redis.set(this.#cancelKey(id), String(this.#now()), 'EX', this.#settings.retentionSeconds, 'NX');
        await this.#redis.publish(changesChannel(this.#settings.name), id);
      },
      limits,
    );
  }

  /** When someone asked for the query to be cancelled, in epoch milliseconds; undefined when no one did. */
  async cancelRequested(id: string): Promise<number | undefined> {
    const at = await this.#call('cancel-requested', async () => await this.#redis.get(this.#cancelKey(id)));
    return at === null ? undefined : Number(at);
  }

  /**
   * Saves the progress of a query, for its next worker and for its readers.
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async saveProgress(engine: EngineName, id: string, progress: QueryProgress): Promise<void> {
    await this.#call('save-progress', async () => {
      await (await this.#open(engine)).updateJobProgress(id, { ...progress });
      await this.#redis.publish(changesChannel(this.#settings.name), id);
    });
  }

  /**
   * Lets a query wait again for another worker.
   *
   * @param token of the worker that has it
   * @throws QueryError `unavailable` when Redis does not answer, or the worker has the query no more
   */
  async handOver(engine: EngineName, id: string, token: string | undefined): Promise<void> {
    await this.#call('hand-over', async () => {
      const job = await (await this.#open(engine)).getJob(id);
      await job?.moveToWait(token);
    });
  }

  /**
   * Counts the bytes that a query has scanned against the budget of its principal.
   *
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async countScanned({ principal }: QueryJobData, bytes: number): Promise<void> {
    // An attempt whose answer is lost may have counted.
    await this.#call('count-scanned', async () => await this.#budget.add(principal, bytes, this.#now()), { idempotent: false });
  }

  /**
   * Reads the queues of the engines in one guarded call.
   *
   * @param run must only read: it may be repeated
   * @throws QueryError `unavailable` when Redis does not answer
   */
  async inspect<T>(run: (queues: readonly Queue[]) => Promise<T>): Promise<T> {
    return await this.#call('inspect', async () => {
      const queues = await Promise.all(this.#settings.engines.map(async (engine) => await this.#open(engine)));
      return await run(queues);
    });
  }

  async ping(): Promise<void> {
    await this.#call('ping', async () => await this.#redis.ping());
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) {
      const queue = await opened.catch(() => undefined);
      await queue?.close().catch(() => undefined);
    }
    this.#redis.disconnect();
  }

  /**
   * BullMQ asks Redis for its version once per queue, and remembers a failure. A queue that was created while Redis is down would
   * never work. A queue that cannot be opened is dropped, and the next call creates another.
   */
  async #open(engine: EngineName): Promise<QueryJobQueue> {
    let opened = this.#opened.get(engine);
    if (opened === undefined) {
      opened = this.#make(engine);
      this.#opened.set(engine, opened);
    }
    return await opened;
  }

  async #make(engine: EngineName): Promise<QueryJobQueue> {
    const queue: QueryJobQueue = new Queue(queueNameOf(this.#settings.name, engine), {
      connection: this.#redis,
      prefix: queuePrefix,
      skipWaitingForReady: true,
    });
    // Every call reports its own failure.
    queue.on('error', () => undefined);
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      this.#opened.delete(engine);
      void queue.close().catch(() => undefined);
      throw error;
    }
  }

  async #jobOf(engine: EngineName, id: string): Promise<QueryJob | undefined> {
    return (await (await this.#open(engine)).getJob(id)) as QueryJob | undefined;
  }

  async #claim(id: string, { engine, submittedAt, principal }: QueryJobData): Promise<boolean> {
    const claim = `${queuePrefix}:${this.#settings.name}:claim:${id}`;
    if ((await this.#redis.set(claim, engine, 'EX', claimSeconds, 'NX')) === null && (await this.#redis.get(claim)) !== engine)
      return false;
    await this.#index.add({ id, engine, submittedAt }, principal);
    return true;
  }

  async #addJob(id: string, data: QueryJobData): Promise<void> {
    const { retentionSeconds, retentionJobsMax } = this.#settings;
    const kept = { age: retentionSeconds, count: retentionJobsMax };
    const queue = await this.#open(data.engine);
    // A query that fails is a job that returns; what BullMQ would call a failed attempt is a bug or a dead worker.
    await queue.add(jobName, data, { jobId: id, timestamp: data.submittedAt, attempts: 1, removeOnComplete: kept, removeOnFail: kept });
  }

  /** An end that the query got without a job comes first: the same query never gets another one. */
  async #recordOf(
    id: string,
    answered: AnsweredQuery | undefined,
    job: QueryJob | undefined,
    isVisible: (data: QueryJobData) => boolean,
  ): Promise<QueryRecord | undefined> {
    const data = answered?.data ?? job?.data;
    if (data === undefined || !isVisible(data)) return undefined;
    if (answered?.outcome !== undefined) return ended(id, data, answered.outcome);
    if (job !== undefined) return await this.#recordOfJob(id, job);
    return answered === undefined ? undefined : await this.#recordOfFollower(id, data, answered.following);
  }

  async #recordOfJob(id: string, job: QueryJob): Promise<QueryRecord> {
    const progress = typeof job.progress === 'object' && 'startedAt' in job.progress ? job.progress : undefined;
    const outcome = outcomeOf(job);
    const state = outcome?.state ?? (await this.#openState(id, job));
    return { id, data: job.data, state, progress, outcome };
  }

  /**
   * A query that follows another is queued until that one ends. It then has the other's result, or gets a separate job. Every poll does
   * the same, and the first one decides.
   */
  async #recordOfFollower(id: string, data: QueryJobData, following: string): Promise<QueryRecord> {
    const leader = await this.#jobOf(data.engine, following);
    const open: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined, isFollowing: true };
    const outcome = leader === undefined ? undefined : outcomeOf(leader);
    // The leader's job may be queued in a moment: its submission claimed to lead before that.
    const isAwaited = leader === undefined && this.#now() - data.submittedAt < leaderVisibleMs;
    if (isAwaited || (leader !== undefined && outcome === undefined)) return open;
    if (outcome === undefined || !isShareable(outcome)) {
      // It was accepted without a check of the budget: the result of another query costs nothing.
      const refusal = await this.#refusalOf(data);
      if (refusal !== undefined) return ended(id, data, await this.#answered.end(id, refusal));
      await this.#addJob(id, data);
      return { ...open, isFollowing: false };
    }
    return ended(id, data, await this.#answered.end(id, sharedOutcome(data, following, outcome)));
  }

  /** The end of a query whose principal has used up its budget; undefined while there is some left. */
  async #refusalOf(data: QueryJobData): Promise<QueryOutcome | undefined> {
    const at = this.#now();
    try {
      await this.#budget.check(data.principal, at);
      return undefined;
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { state: 'failed', startedAt: at, finishedAt: at, error: error.toProblem() };
    }
  }

  async #openState(id: string, job: QueryJob): Promise<QueryState> {
    if ((await this.#redis.exists(this.#cancelKey(id))) === 1) return 'cancelling';
    // Not by the state of the job: one that was handed over waits again, and one that is set aside is taken for a moment.
    return typeof job.progress === 'object' && 'startedAt' in job.progress ? 'running' : 'queued';
  }

  /** Without a place: a query that does not wait, that a worker set aside, or that one has just taken. */
  async #placed(record: QueryRecord): Promise<QueryRecord> {
    if (record.state !== 'queued' || record.isFollowing === true) return record;
    const waiting = (await this.#open(record.data.engine)).toKey('wait');
    const answers = await this.#redis.multi().lpos(waiting, record.id).llen(waiting).exec();
    const [index, length] = (answers ?? []).map(([error, value]) => (error === null ? value : null)) as (number | null)[];
    // Workers take the last one.
    return typeof index === 'number' && typeof length === 'number' ? { ...record, queuePosition: length - index } : record;
  }

  #cancelKey(id: string): string {
    return `${queuePrefix}:${this.#settings.name}:cancel:${id}`;
  }

  // A call may be repeated unless it says otherwise. A query is added under its own id, and the rest reads or sets the same value.
  async #call<T>(
    operation: string,
    run: () => Promise<T>,
    { idempotent = true, ...limits }: RequestLimits & { readonly idempotent?: boolean } = {},
  ): Promise<T> {
    try {
      return await this.#guard({ operation, idempotent, ...limits }, run);
    } catch (error) {
      if (error instanceof QueryError) throw error;
      if (error instanceof DeadlineExceededError)
        throw new QueryError('deadline-exceeded', 'The deadline of the caller passed before Redis had answered.', { cause: error });
      throw unanswered(error, 'The queue of queries (Redis) does not answer.');
    }
  }
}

function ended(id: string, data: QueryJobData, outcome: QueryOutcome): QueryRecord {
  return { id, data, state: outcome.state, progress: undefined, outcome };
}

/** Whether the result is exact for queries that were submitted while it was computed: the tables were the same before and after. */
function isShareable({ state, asOf, stale }: QueryOutcome): boolean {
  return state === 'succeeded' && asOf !== undefined && stale === undefined;
}

/** The end of a query that followed another one. */
function sharedOutcome({ submittedAt }: QueryJobData, leaderId: string, leader: QueryOutcome): QueryOutcome {
  const startedAt = Math.max(leader.startedAt, submittedAt);
  const finishedAt = Math.max(leader.finishedAt, startedAt);
  return {
    state: 'succeeded',
    startedAt,
    finishedAt,
    statistics: {
      rows: leader.statistics?.rows ?? 0,
      // The statement read them once, for the query that ran.
      bytesScanned: 0,
      queuedMs: startedAt - submittedAt,
      executionMs: finishedAt - startedAt,
    },
    ...(leader.asOf === undefined ? {} : { asOf: leader.asOf }),
    ...(leader.small === undefined ? {} : { small: leader.small }),
    resultOf: leaderId,
  };
}

/** How a job ended; undefined while it has not. A job that BullMQ calls failed is a query whose workers died, or a bug. */
export function outcomeOf(job: QueryJob): QueryOutcome | undefined {
  if (job.finishedOn === undefined) return undefined;
  // BullMQ's client gives an empty object or null before there is a value.
  if (job.failedReason === undefined && job.returnvalue?.state !== undefined) return job.returnvalue;
  const startedAt =
    typeof job.progress === 'object' && 'startedAt' in job.progress ? job.progress.startedAt : (job.processedOn ?? job.finishedOn);
  return {
    state: 'failed',
    startedAt,
    finishedAt: job.finishedOn,
    error: problemOf('engine-failed', { detail: 'Each worker that ran this query died or did not report its end.' }),
  };
}
