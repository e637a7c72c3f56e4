import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { awsError } from './aws-error.ts';
import { pause, type Target } from './relay.ts';

/** Largest body in bytes that is kept to be delivered late or twice, and the largest answer that is kept back. */
const keptBytesMax = 256 * 1024 * 1024;

/** An answer that was read to its end. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** One request of a client and its way to the target and back. */
export class HttpExchange {
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #target: Target;
  readonly #gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse, target: Target) {
    this.request = request;
    this.#response = response;
    this.#target = target;
    response.on('close', () => this.#gone.abort(new Error('the client is gone')));
  }

  /** Aborted once the answer has been sent or the connection of the client is closed. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Delivers the request without a header; its name in lower case. */
  ignore(header: string): void {
    delete this.request.headers[header];
  }

  /** Resets the client's connection. */
  reset(): void {
    this.request.socket.resetAndDestroy();
  }

  /** Lets the client finish sending, to nowhere. */
  drain(): void {
    this.request.resume();
  }

  /** Relays the request and its answer as they stream, at most at a rate in bytes per second. */
  async relay(bytesPerSecond = Infinity): Promise<void> {
    const answer = await this.#send(
      async (upstream) => await pipeline(this.request, throttle(bytesPerSecond, this.gone), upstream),
      this.gone,
    );
    this.#response.writeHead(answer.statusCode!, answer.statusMessage, endToEnd(answer.headers));
    await pipeline(answer, throttle(bytesPerSecond, this.gone), this.#response);
  }

  /** Reads the whole request. */
  async body(): Promise<Buffer> {
    return await bytesOf(this.request);
  }

  /** Delivers the request and reads the whole answer, whether the client waits or not. */
  async deliver(body: Buffer): Promise<KeptAnswer> {
    const answer = await this.#send(async (upstream) => void upstream.end(body));
    return { status: answer.statusCode!, headers: endToEnd(answer.headers), body: await bytesOf(answer) };
  }

  /** Sends the answer of the target. */
  answer({ status, headers, body }: KeptAnswer): void {
    // A HEAD answer states a length and has no body; node leaves such a body out by itself.
    this.#response.writeHead(status, headers).end(body);
  }

  /** Answers with an error as AWS would. */
  fail(status: number, code?: string): void {
    const { contentType, body } = awsError(status, this.request.headers['x-amz-target'] !== undefined, code);
    this.drain();
    this.#response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
  }

  async #send(write: (upstream: ReturnType<typeof httpRequest>) => Promise<void>, signal?: AbortSignal): Promise<IncomingMessage> {
    const { method, url, headers } = this.request;
    // Every request has its own connection, so that a connection which the target closes between two requests is not a fault.
    const upstream = httpRequest({
      ...this.#target,
      method,
      path: url,
      headers: endToEnd(headers),
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.on('response', resolve).on('error', reject);
    });
    // An answer may come before the request has been read, and is the better word on what went wrong.
    const [got] = await Promise.all([answer, write(upstream).catch(async () => void (await answer))]);
    return got;
  }
}

// Headers about one connection, which the next one makes itself; 100 Continue has been said by the listener.
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer']);

function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > keptBytesMax) throw new RangeError(`a body of more than ${keptBytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function throttle(bytesPerSecond: number, signal: AbortSignal): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* paced(source) {
    for await (const chunk of source) {
      if (bytesPerSecond !== Infinity) await pause((chunk.length * 1000) / bytesPerSecond, signal);
      yield chunk;
    }
  };
}
