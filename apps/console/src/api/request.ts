import type { Problem } from '@millrace/contracts';
import { credential } from './credential.ts';
import { ApiError } from './errors.ts';
import { onRefusedCredential } from './session.ts';

/** A request to the query API, which also serves this page. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Sends a request with the user's credential.
 *
 * @throws ApiError for every answer of 400 and above, and without an answer
 */
export async function send(path: string, { method = 'GET', body, headers = {}, signal }: ApiRequest = {}): Promise<Response> {
  const token = credential.value;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError('The request got no answer. Check the network and whether the query API runs, then try again.', undefined, error);
  }
  if (response.ok) return response;
  const error = await errorOf(response);
  if (response.status === 401 && token !== undefined) onRefusedCredential();
  throw error;
}

/** Sends a request and reads its answer as JSON. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the answer that the API promises
export async function sendForJson<T>(path: string, request: ApiRequest = {}): Promise<T> {
  const response = await send(path, { ...request, headers: { accept: 'application/json', ...request.headers } });
  return (await response.json()) as T;
}

/** Sends a request and yields the data of each server-sent event, until the end of the connection. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the events that the API promises
export async function* sendForEvents<T>(path: string, request: ApiRequest = {}): AsyncGenerator<T> {
  const response = await send(path, { ...request, headers: { accept: 'text/event-stream', ...request.headers } });
  if (response.body === null) return;
  let text = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (text + part.value).split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      // Not by a pattern of lines: U+2028 ends a line for it, and JSON holds that character as it is.
      const line = event.split('\n').find((one) => one.startsWith('data:'));
      if (line !== undefined) yield JSON.parse(line.slice('data:'.length)) as T;
    }
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Problem;
    return new ApiError(problem.detail ?? problem.title, problem);
  } catch {
    return new ApiError(`The query API answered ${response.status}: ${text.slice(0, 300)}`);
  }
}
