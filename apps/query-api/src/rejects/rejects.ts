import {
  redriveRequestSchema,
  validatorFor,
  type RedriveAnswer,
  type RedriveRequest,
  type RejectDetail,
  type RejectList,
  type Stream,
  type Violation,
} from '@millrace/contracts';
import type { KafkaAccess } from '@millrace/kafka/access';
import type { LakeRows, OperationError, RejectedRecord } from '@millrace/operations';
import type { Pipeline } from '@millrace/resilience';
import { idOfPrincipal, type Principal } from '@millrace/runtime';
import type { Logger } from 'pino';
import { QueryError, validationError, type QueryErrorCode } from '../errors.ts';
import type { RequestLimits } from '../guards.ts';
import { streamNamed } from '../stream-named.ts';
import { unanswered } from '../unanswered.ts';
import { cursorOf, RejectCounts, type RejectListRequest } from './reject-listing.ts';

/** Limits of one read of the list: an answer within a second or two, and few megabytes of memory. */
const listLimits = { filesMax: 200, bytesMax: 32 * 1024 * 1024 } as const;
/** Memory in which a redrive looks for rows, in megabytes. */
const searchMemoryMb = 128;

const requests = validatorFor(redriveRequestSchema);

/** Parts of {@link Rejects}. */
export interface RejectsParts {
  readonly streams: readonly Stream[];
  /** The objects of the table of a stream, for calls that end by a deadline. */
  readonly lakeOf: (stream: Stream, deadline: number | undefined) => LakeRows;
  /** Undefined where the service has no connection to Kafka. */
  readonly kafka: KafkaAccess | undefined;
  readonly httpfsPath: string | undefined;
  /** The pipeline around a whole redrive. */
  readonly pipeline: Pipeline;
  readonly logger: Pick<Logger, 'info'>;
}

/** The records that broke the contract, for operators. */
export class Rejects {
  readonly #parts: RejectsParts;

  constructor(parts: RejectsParts) {
    this.#parts = parts;
  }

  /**
   * Lists the newest rejects, with the counts of everything that was read.
   *
   * @throws QueryError `unavailable` when S3 does not answer
   */
  async list({ stream: name, ...request }: RejectListRequest, { signal, deadline }: RequestLimits): Promise<RejectList> {
    const { streams, lakeOf, kafka } = this.#parts;
    const stream = streamNamed(streams, name);
    const counts = new RejectCounts();
    const { identityOf, recentRejects } = await import('@millrace/operations');
    const { filesTotal, filesRead, rejects, next } = await answered(
      recentRejects(lakeOf(stream, deadline), {
        ...request,
        ...listLimits,
        signal: signal ?? new AbortController().signal,
        onSeen: ({ reason, timestamp }) => counts.add(reason, Number(timestamp)),
      }),
    );
    return {
      stream: stream.name,
      table: stream.table,
      canRedrive: kafka !== undefined,
      filesTotal,
      filesRead,
      reasons: counts.reasons,
      ...counts.steps,
      rejects: rejects.map(({ record, landedAtMs }) => ({
        ...placeOf(record, identityOf(record)),
        landedAt: new Date(landedAtMs).toISOString(),
      })),
      ...(next === undefined ? {} : { next: cursorOf(next) }),
    };
  }

  /**
   * Reads one reject, with the rules that it breaks now: the contract may be another one than at its rejection.
   *
   * @throws QueryError `not-found` when no entry of the ledger rejected the offset, `unavailable` when S3 does not answer
   */
  async show(name: string | undefined, partition: number, offset: number, { signal, deadline }: RequestLimits): Promise<RejectDetail> {
    const { streams, lakeOf } = this.#parts;
    const stream = streamNamed(streams, name);
    const { editableReject, identityOf, readReject } = await import('@millrace/operations');
    const lake = lakeOf(stream, deadline);
    const record = await answered(readReject(lake, partition, offset, signal ?? new AbortController().signal));
    if (record === undefined)
      throw new QueryError('not-found', `No entry of the ledger rejected offset ${offset} of partition ${partition}.`);
    const { event, text, base64 } = editableReject(record);
    return {
      ...placeOf(record, identityOf(record)),
      key: record.key === null ? null : record.key.toString('utf8'),
      violations: event === null ? [] : validatorFor(stream.eventSchema).violations(event),
      event,
      ...(text === undefined ? {} : { text }),
      ...(base64 === undefined ? {} : { base64 }),
      file: record.file,
    };
  }

  /**
   * Plans a redrive, or produces the events.
   *
   * @throws QueryError `validation` for a wrong request; `unavailable` without Kafka, or when Kafka or S3 does not answer; `overloaded`
   * while another redrive runs
   */
  async redrive(body: unknown, caller: Principal, { signal, deadline }: RequestLimits): Promise<RedriveAnswer> {
    const request = redriveRequestOf(body);
    const { streams, kafka, lakeOf, httpfsPath, pipeline, logger } = this.#parts;
    const stream = streamNamed(streams, request.stream);
    if (kafka === undefined)
      throw new QueryError(
        'unavailable',
        'The query API has no connection to Kafka, so nothing was produced. Set KAFKA_BROKERS and restart it, or use ./millrace rejects redrive.',
      );
    const { apply = false, reason, rejects } = request;
    const fields = { stream: stream.name, rejects: rejects.length, by: idOfPrincipal(caller) };
    // Logged before the change, so that the log has a change whose answer was lost.
    if (apply) logger.info({ audit: 'redrive-requested', ...fields, reason }, 'An administrator redrives rejects.');
    const target = { lake: lakeOf(stream, deadline), kafka, httpfsPath, searchMemoryMb };
    const { redriveRejects } = await import('@millrace/operations');
    const run = async (attempt: AbortSignal): Promise<RedriveAnswer> => {
      const texts = await correctionsOf(target.lake, rejects, attempt);
      const { lines, ...result } = await redriveRejects(target, texts, { apply, signal: attempt });
      const count = (action: (typeof lines)[number]['action']): number => lines.filter((line) => line.action === action).length;
      return {
        ...result,
        counts: { produce: count('produce'), landed: count('landed'), waiting: count('waiting'), refused: count('refused') },
        lines: lines.map(({ line, ...rest }) => ({
          ...rest,
          partition: rejects[line - 1]!.partition,
          offset: rejects[line - 1]!.offset,
        })),
      };
    };
    const answer = await answered(
      pipeline.execute(async (attempt) => await run(attempt.signal), {
        idempotent: false,
        ...(signal === undefined ? {} : { signal }),
        ...(deadline === undefined ? {} : { deadline }),
      }) as Promise<RedriveAnswer>,
      'The redrive did not end: Kafka or S3 does not answer. Repeat it: it skips the events that were produced.',
    );
    if (apply) logger.info({ audit: 'redrive-ended', ...fields, ...answer.counts }, 'Rejects were redriven.');
    return answer;
  }
}

/** @throws QueryError `validation` that names everything that is wrong */
function redriveRequestOf(body: unknown): RedriveRequest {
  if (!requests.check(body)) throw validationError(requests.violations(body));
  const request = body as RedriveRequest;
  const errors: Violation[] = [];
  if (request.apply === true && request.reason === undefined)
    errors.push({ field: 'reason', message: 'is missing: the audit log needs the reason of a change' });
  if (errors.length > 0) throw validationError(errors);
  return request;
}

/** The lines of a file of corrections. A reject without a correction is redriven as it is. */
async function correctionsOf(
  lake: LakeRows,
  rejects: RedriveRequest['rejects'],
  signal: AbortSignal,
): Promise<{ readonly line: number; readonly text: string }[]> {
  const { editableReject, rejectFinder } = await import('@millrace/operations');
  const find = rejectFinder(lake, signal);
  const topic = lake.stream.topic.name;
  const lines: { line: number; text: string }[] = [];
  for (const [n, { partition, offset, event }] of rejects.entries()) {
    const original = event === undefined ? await find(partition, offset) : undefined;
    const chosen = event ?? (original === undefined ? null : editableReject(original).event);
    lines.push({ line: n + 1, text: JSON.stringify({ topic, partition, offset, event: chosen }) });
  }
  return lines;
}

function placeOf(
  { topic, partition, offset, timestamp, reason, value }: RejectedRecord,
  eventId: string,
): Pick<RejectDetail, 'topic' | 'partition' | 'offset' | 'at' | 'reason' | 'eventId' | 'bytes'> {
  return {
    topic,
    partition,
    offset,
    at: new Date(Number(timestamp)).toISOString(),
    reason,
    eventId,
    bytes: value?.byteLength ?? 0,
  };
}

const codes: Readonly<Record<OperationError['code'], QueryErrorCode>> = {
  'invalid-argument': 'validation',
  'not-found': 'not-found',
  conflict: 'unavailable',
  corrupt: 'internal',
  unavailable: 'unavailable',
  refused: 'unavailable',
  unfinished: 'unavailable',
};

/** Turns the errors of an operation into those of this service. */
async function answered<T>(operation: Promise<T>, detail = 'The rejects cannot be read: S3 does not answer.'): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    const { OperationError: Failed } = await import('@millrace/operations');
    if (error instanceof Failed) throw new QueryError(codes[error.code], error.message, { cause: error });
    if (error instanceof QueryError) throw error;
    throw unanswered(error, detail);
  }
}
