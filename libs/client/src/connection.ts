import {
  AttemptTimeoutError,
  classifyError,
  createPipeline,
  DeadlineExceededError,
  isThrottled,
  parseRetryAfterMs,
  RetryBudgetSpentError,
  systemClock,
  type Clock,
  type ErrorClass,
} from '@millrace/resilience';
import type { Problem } from './api-types.ts';
import { isRetryableStatus, MillraceError } from './errors.ts';

/** Options of a client. */
export interface ClientOptions {
  /** Address of the service, such as `http://127.0.0.1:3001`. */
  readonly url: string;
  /** Bearer token: a JWT or an API key. A function is called for each attempt, so that it can renew the token. Default: none. */
  readonly token?: string | (() => string | Promise<string>);
  /** Time of one attempt in milliseconds, ≥ 1. Default 15,000. */
  readonly attemptMs?: number;
  /** Time of one call in milliseconds, with all attempts and waits, ≥ `attemptMs`. Default 60,000. */
  readonly totalMs?: number;
  /** Maximum number of attempts of one call, the first one included, 1–10. Default 5. */
  readonly attemptsMax?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Returns numbers in [0, 1), for the jitter between attempts. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call. It then fails with the reason of the signal. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** One request. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path with its query string. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Body, sent as JSON. */
  readonly body?: unknown;
}

/** An answer that has been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; undefined when it is not JSON. */
  readonly body: unknown;
}

/** Sends one request within one attempt. @throws MillraceError `unreachable` */
export type Send = (request: Request) => Promise<Answer>;

/** Time of one attempt in milliseconds, unless the caller says otherwise. */
export const attemptMsDefault = 15_000;

/**
 * Calls one service. It retries after 408, 429, 502, 503, 504 and lost connections, with full jitter and never before the
 * `Retry-After` of the answer. So each call must be safe to repeat.
 */
export class Connection {
  readonly clock: Clock;
  readonly #options: ClientOptions;
  readonly #pipeline: ReturnType<typeof pipelineOf>;

  /** @param name name of the service in messages, such as `purchase-api` */
  constructor(name: string, options: ClientOptions) {
    this.clock = options.clock ?? systemClock;
    this.#options = options;
    this.#pipeline = pipelineOf(name, options, this.clock);
  }

  /** Sends one request and returns the JSON of its answer. @throws MillraceError */
  async ask<T>(request: Request, options: CallOptions = {}): Promise<T> {
    return (await this.answerTo(request, options)).body as T;
  }

  /** Sends one request and returns its answer. @throws MillraceError */
  async answerTo(request: Request, options: CallOptions = {}): Promise<Answer> {
    return await this.call(async (send) => expectSuccess(request, await send(request)), options);
  }

  /**
   * Sends one request and returns its answer as a stream. Retries and the limits of time end with the head of the answer; the
   * signal of the caller ends the body, too.
   *
   * @throws MillraceError
   */
  async open(request: Request, { signal }: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return await this.call(
      async (_send, attempt) => {
        const ending = new AbortController();
        const end = (): void => ending.abort(attempt.reason);
        attempt.addEventListener('abort', end, { once: true });
        try {
          const response = await this.#fetch(request, signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]));
          if (!response.ok)
            expectSuccess(request, { status: response.status, headers: response.headers, body: jsonOf(await response.text()) });
          return response.body!;
        } finally {
          attempt.removeEventListener('abort', end);
        }
      },
      { signal },
    );
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or the time is over.
   *
   * @throws MillraceError; the reason of the signal when it aborts
   */
  async call<T>(attempt: (send: Send, signal: AbortSignal) => Promise<T>, { signal }: CallOptions): Promise<T> {
    try {
      const work = async (context: { readonly signal: AbortSignal }): Promise<T> =>
        await attempt(async (request) => await this.#send(request, context.signal), context.signal);
      return await this.#pipeline.execute(work, { signal, idempotent: true });
    } catch (error) {
      throw finalError(error);
    }
  }

  async #send(request: Request, signal: AbortSignal): Promise<Answer> {
    const response = await this.#fetch(request, signal);
    try {
      return { status: response.status, headers: response.headers, body: jsonOf(await response.text()) };
    } catch (cause) {
      throw this.#unreachable(request, cause, signal);
    }
  }

  async #fetch(request: Request, signal: AbortSignal): Promise<Response> {
    const { method, path, headers, body } = request;
    const { url, token, fetch: send = fetch } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    try {
      return await send(url.replace(/\/+$/, '') + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      });
    } catch (cause) {
      throw this.#unreachable(request, cause, signal);
    }
  }

  #unreachable({ method, path }: Request, cause: unknown, signal: AbortSignal): MillraceError {
    signal.throwIfAborted();
    return new MillraceError('unreachable', `${method} ${path}: ${this.#options.url} did not answer.`, { retryable: true, cause });
  }
}

function pipelineOf(name: string, options: ClientOptions, clock: Clock) {
  const { attemptMs = attemptMsDefault, totalMs = Math.max(60_000, attemptMs), attemptsMax = 5, random = Math.random } = options;
  return createPipeline(
    { name, timeout: { attemptMs, totalMs }, retry: { attemptsMax, waitMsMax: 5000 }, classify: errorClassOf },
    { clock, random },
  );
}

/** Returns an answer below status 400. @throws MillraceError `problem` for every other one */
export function expectSuccess({ method, path }: Request, answer: Answer): Answer {
  const { status, headers, body } = answer;
  if (status < 400) return answer;
  const problem = isProblem(body) ? body : undefined;
  const retryAfterMs =
    parseRetryAfterMs(headers.get('retry-after') ?? undefined, Date.now()) ??
    (problem?.retryAfterSeconds === undefined ? undefined : problem.retryAfterSeconds * 1000);
  const reason = problem?.detail ?? problem?.title ?? 'The answer is not a problem document.';
  throw new MillraceError('problem', `${method} ${path} was answered ${status}: ${reason}`, {
    status,
    problem,
    retryAfterMs,
    retryable: isRetryableStatus(status),
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'type' in body && 'title' in body && 'status' in body;
}

function errorClassOf(error: unknown): ErrorClass {
  if (!(error instanceof MillraceError)) return classifyError(error);
  if (!error.retryable) return 'invalid';
  return isThrottled(error.status, error.retryAfterMs) ? 'throttled' : 'transient';
}

/** The error that the caller gets: the failure itself where a policy only ended its repetition. */
function finalError(error: unknown): unknown {
  if (error instanceof RetryBudgetSpentError || error instanceof DeadlineExceededError) {
    if (error.cause instanceof MillraceError) return error.cause;
    return timeoutError(error);
  }
  return error instanceof AttemptTimeoutError ? timeoutError(error) : error;
}

function timeoutError(cause: Error): MillraceError {
  return new MillraceError('timeout', `The service did not answer in time: ${cause.message}`, { retryable: true, cause });
}
