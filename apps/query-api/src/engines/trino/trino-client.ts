import { parseRetryAfterMs } from '@millrace/resilience';
import { QueryError, Throttled } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { readAnswer, type TrinoAnswer } from './trino-answer.ts';

/** Where Trino is, and the session of every statement. */
export interface TrinoPlace {
  /** With a user and a password in it, both are sent as Basic credentials. */
  readonly url: string;
  readonly catalog: string;
  readonly schema: string;
}

/** A statement for Trino. */
export interface TrinoSubmission {
  readonly sql: string;
  /** Identity of the query, for the lists of Trino's operators. */
  readonly queryId: string;
  readonly user: string;
  /** Bytes that the statement may read; undefined without a limit. */
  readonly bytesScannedMax: number | undefined;
}

/** Statuses that pass by themselves. */
const passing = new Set([429, 502, 503, 504]);

/**
 * Trino's statement protocol: submit, follow, cancel. The pipeline around each call owns timeouts and retries. The package trino-client can
 * neither continue from a stored place nor end a call by a signal, and it rounds a BIGINT beyond 2^53.
 */
export class TrinoClient {
  readonly #origin: URL;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #place: TrinoPlace;
  readonly #guard: CallGuard;
  readonly #fetch: typeof fetch;

  constructor(place: TrinoPlace, guard: CallGuard, fetchFrom: typeof fetch = fetch) {
    const url = new URL(place.url);
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    this.#authorization = url.username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    url.username = url.password = '';
    this.#origin = url;
    this.#place = place;
    this.#guard = guard;
    this.#fetch = fetchFrom;
  }

  /**
   * Hands a statement over. Trino begins to run it when its first answer is followed, so that a repeated submission runs nothing twice.
   *
   * @throws QueryError `unavailable`, `engine-failed`
   */
  async submit({ sql, queryId, user, bytesScannedMax }: TrinoSubmission, signal: AbortSignal): Promise<TrinoAnswer> {
    const headers = {
      'x-trino-user': headerText(user),
      'x-trino-source': 'millrace',
      'x-trino-client-tags': `millrace,query-${headerText(queryId)}`,
      'x-trino-catalog': this.#place.catalog,
      'x-trino-schema': this.#place.schema,
      'x-trino-time-zone': 'UTC',
      // Otherwise times are cut to milliseconds.
      'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
      ...(bytesScannedMax === undefined ? {} : { 'x-trino-session': `query_max_scan_physical_bytes=${bytesScannedMax}B` }),
    };
    const answer = await this.#call('start', signal, 'POST', '/v1/statement', { headers, body: sql });
    if (answer === undefined) throw new QueryError('engine-failed', 'There is no Trino at TRINO_URL: it answers 404.');
    return answer;
  }

  /** The answer at a place; undefined when Trino no longer has it. */
  async follow(place: string, signal: AbortSignal): Promise<TrinoAnswer | undefined> {
    return await this.#call('look', signal, 'GET', place);
  }

  /** Ends the statement that an answer belongs to, and returns once Trino has ended it. */
  async cancel(place: string): Promise<void> {
    await this.#call('stop', undefined, 'DELETE', place);
    // Trino accepts the request before it acts. An ended statement has a last answer, or none.
    for (let next: string | undefined = place; next !== undefined;) next = placeOf(await this.#call('stop', undefined, 'GET', next));
  }

  async #call(
    operation: string,
    signal: AbortSignal | undefined,
    method: string,
    place: string,
    more: { headers?: Readonly<Record<string, string>>; body?: string } = {},
  ): Promise<TrinoAnswer | undefined> {
    return await this.#guard({ operation, idempotent: true, signal }, async (sending) => {
      // Only a path is kept and followed, so that credentials go nowhere but to the configured host.
      const response = await this.#fetch(new URL(place, this.#origin), {
        method,
        headers: { ...this.#authorization, ...more.headers },
        signal: sending,
        redirect: 'error',
        ...(more.body === undefined ? {} : { body: more.body }),
      });
      const text = await response.text();
      if (response.ok) return text === '' ? undefined : readAnswer(text);
      if (response.status === 404 || response.status === 410) return undefined;
      const cause = new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
      if (passing.has(response.status))
        throw new Throttled(cause, parseRetryAfterMs(response.headers.get('retry-after') ?? undefined, Date.now()));
      throw new QueryError('engine-failed', `Trino refuses the request with status ${response.status}.`, { cause });
    });
  }
}

/** Path of the answer after this one; undefined after the last. */
export function placeOf(answer: TrinoAnswer | undefined): string | undefined {
  if (answer?.nextUri === undefined) return undefined;
  const { pathname, search } = new URL(answer.nextUri);
  return `${pathname}${search}`;
}

/** Text as a header may carry it. */
function headerText(text: string): string {
  return text.replaceAll(/[^!-$&-+\--~]/g, (character) => encodeURIComponent(character.isWellFormed() ? character : '\uFFFD'));
}
