import { type Problem, type ProblemName, problemOf, problemTypes } from '@millrace/contracts';
import { AttemptTimeoutError, ChaosFaultError, RejectedError, type RejectionCode } from '@millrace/resilience';
import { HttpException } from '@nestjs/common';
import { type ProblemDetails, ProblemError, type ProblemSource } from '../errors.ts';

/** Limits that the text of a problem names. */
export interface ProblemLimits {
  /** Largest body in bytes. */
  readonly bodyBytesMax: number;
}

/** A problem document with the headers that go with it. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Converts an error of a request into the problem document for its client. The text of an error is sent only if it was written for clients;
 * an unknown error becomes `internal` without details.
 */
export function problemOfError(error: unknown, instance: string, limits: ProblemLimits): ProblemAnswer {
  if (isProblemSource(error)) return answerOf(error.toProblem(), instance, {});
  const [name, { headers = {}, cause: _cause, ...extra }] = namedProblemOf(error, limits);
  return answerOf(problemOf(name, extra), instance, headers);
}

function answerOf(problem: Problem, instance: string, headers: Readonly<Record<string, string>>): ProblemAnswer {
  const { retryAfterSeconds } = problem;
  const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(0, Math.ceil(retryAfterSeconds))) };
  return { problem: { ...problem, instance }, headers: { ...headers, ...retryAfter } };
}

function isProblemSource(error: unknown): error is ProblemSource {
  return error instanceof Error && 'toProblem' in error && typeof error.toProblem === 'function';
}

function namedProblemOf(error: unknown, limits: ProblemLimits): [ProblemName, ProblemDetails] {
  if (error instanceof ProblemError) return [error.code, error.details];
  if (error instanceof RejectedError) return problemOfRejection(error);
  if (error instanceof AttemptTimeoutError)
    return ['unavailable', { detail: `${error.pipeline} did not answer in time.`, retryAfterSeconds: retryAfterSecondsDefault }];
  if (error instanceof ChaosFaultError)
    return ['unavailable', { detail: `${error.pipeline} failed.`, retryAfterSeconds: retryAfterSecondsDefault }];
  const origin = error instanceof HttpException && error.cause !== undefined ? error.cause : error;
  const byCode = problemOfFastifyCode(codeOf(origin), limits);
  if (byCode !== undefined) return byCode;
  if (error instanceof HttpException) return [nameOfStatus(error.getStatus()), error.getStatus() < 500 ? { detail: error.message } : {}];
  return ['internal', {}];
}

/** Default of `Retry-After`, in seconds, when no circuit and no dependency states a time. */
const retryAfterSecondsDefault = 1;

/** A refusal as the client sees it. */
type RefusalName = Extract<ProblemName, 'unavailable' | 'overloaded' | 'deadline-exceeded'>;

const rejections: Readonly<Record<RejectionCode, readonly [name: RefusalName, detail: (pipeline: string) => string]>> = {
  'circuit-open': ['unavailable', (pipeline) => `${pipeline} is not available: its circuit is open.`],
  'retry-budget-spent': ['unavailable', (pipeline) => `${pipeline} failed, and its budget for retries is spent.`],
  'pipeline-closed': ['unavailable', () => 'The service is stopping.'],
  'bulkhead-full': ['overloaded', (pipeline) => `Too many concurrent calls to ${pipeline}.`],
  'bulkhead-wait-exceeded': ['overloaded', (pipeline) => `The request waited too long for a free call to ${pipeline}.`],
  'fallbacks-full': ['overloaded', (pipeline) => `${pipeline} is not available, and too many requests are served without it.`],
  shed: ['overloaded', () => 'The service is overloaded and refuses this request.'],
  'deadline-exceeded': ['deadline-exceeded', (pipeline) => `The deadline of the request passed before ${pipeline} answered.`],
};

/** Maps a pipeline's refusal to a problem and the whole seconds until a retry makes sense. Apps with their own errors use it, too. */
export function problemOfRejection({
  code,
  pipeline,
  retryAfterMs,
}: RejectedError): [RefusalName, Pick<ProblemDetails, 'detail' | 'retryAfterSeconds'>] {
  const [name, detail] = rejections[code];
  // A retry with the same deadline is useless.
  if (name === 'deadline-exceeded') return [name, { detail: detail(pipeline) }];
  return [
    name,
    { detail: detail(pipeline), retryAfterSeconds: retryAfterMs === undefined ? retryAfterSecondsDefault : Math.ceil(retryAfterMs / 1000) },
  ];
}

function problemOfFastifyCode(code: string | undefined, { bodyBytesMax }: ProblemLimits): [ProblemName, ProblemDetails] | undefined {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return ['invalid-json', { detail: 'The body could not be parsed as JSON. Check quotes, commas and that it is complete.' }];
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return ['invalid-json', { detail: 'The body is empty, and an empty text is not JSON.' }];
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return ['validation', { detail: 'The length of the body differs from its content-length header.' }];
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return ['body-too-large', { detail: `The body may have at most ${bodyBytesMax} bytes.`, headers: { connection: 'close' } }];
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
      return [
        'unsupported-media-type',
        { detail: 'Set the content-type header to the media type of the body. Every route accepts application/json.' },
      ];
    case 'FST_ERR_BAD_URL':
      return ['validation', { detail: 'The path has a percent-encoding that cannot be decoded.' }];
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return ['not-found', { detail: 'A part of the path is longer than any name of the service.' }];
    default:
      return undefined;
  }
}

function nameOfStatus(status: number): ProblemName {
  const preferred: Partial<Record<number, ProblemName>> = {
    400: 'validation',
    409: 'not-finished',
    413: 'body-too-large',
    503: 'unavailable',
  };
  const found = preferred[status] ?? (Object.keys(problemTypes) as ProblemName[]).find((name) => problemTypes[name].status === status);
  return found ?? (status >= 400 && status < 500 ? 'validation' : 'internal');
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
