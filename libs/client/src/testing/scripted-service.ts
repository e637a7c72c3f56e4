import type { Clock } from '@millrace/resilience';
import { vi } from 'vitest';

/** A request as the service got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** An answer of the script, an error instead of an answer, or `hang` for none. */
export type ScriptedAnswer = Response | Error | 'hang' | ((request: SeenRequest) => Response | Promise<Response>);

/** A service that gives its answers in order and records the requests. Time passes only by vitest's fake timers. */
export class ScriptedService {
  readonly seen: SeenRequest[] = [];
  readonly #answers: ScriptedAnswer[];

  constructor(answers: readonly ScriptedAnswer[]) {
    this.#answers = [...answers];
  }

  /** Options of a client of this service. Each back-off is the largest that its jitter allows. */
  get options() {
    return { url: 'http://service/', fetch: this.#fetch, clock: fakeClock, random: () => 1 - Number.EPSILON };
  }

  readonly #fetch: typeof fetch = async (input, init) => {
    const request: SeenRequest = {
      method: init!.method!,
      path: (input as string).replace('http://service', ''),
      headers: init!.headers as Record<string, string>,
      body: init!.body === undefined ? undefined : JSON.parse(init!.body as string),
    };
    this.seen.push(request);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`The script has no answer to ${request.method} ${request.path}.`);
    if (answer instanceof Error) throw answer;
    if (answer === 'hang')
      return await new Promise((_resolve, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error), { once: true });
      });
    return answer instanceof Response ? answer : await answer(request);
  };
}

const fakeClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Lets time pass in small steps until a promise settles. Returns its value. @throws its error */
export async function settle<T>(promise: Promise<T>): Promise<T> {
  const over = new AbortController();
  const end = (): void => over.abort();
  promise.then(end, end);
  while (!over.signal.aborted) await vi.advanceTimersByTimeAsync(50);
  return await promise;
}

/** An answer with a JSON body. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

/** A problem document. */
export function problem(status: number, name: string, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { type: `urn:millrace:problem:${name}`, title: name, status, detail: `It is ${name}.` };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}
