import { connect, type Socket } from 'node:net';

/** One kind of request, sent again and again. */
export interface LoadSpec {
  /** `http://127.0.0.1:3001`; the load goes to loopback only. */
  readonly url: string;
  readonly path: string;
  /** Further request headers. Default: none. */
  readonly headers?: (request: number) => Readonly<Record<string, string>>;
  /** Bodies, sent in turn. */
  readonly bodies: readonly string[];
  /** Events in one body, ≥ 1. */
  readonly eventsPerRequest: number;
  /** Connections; each has one request outstanding. */
  readonly connections: number;
  readonly seconds: number;
}

/** Result of a load. */
export interface LoadResult {
  readonly seconds: number;
  /** Requests answered 202 with every event accepted. */
  readonly accepted: number;
  /** All other answers. */
  readonly refused: number;
  /** Latencies of the accepted requests in milliseconds, ascending. */
  readonly latenciesMs: Float64Array;
}

/** Longest wait for the answers that are outstanding at the end, in milliseconds. */
const lastAnswersMsMax = 15_000;
const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost']);

/**
 * Sends one kind of request over keep-alive connections for some seconds.
 *
 * It writes prepared bytes and reads only status, length and the accepted count. A full HTTP client in this process would need more CPU per
 * request than a bare server, and the ratios would measure the client.
 *
 * @throws Error when the URL is not on loopback, a connection fails, or an answer has no `content-length`
 */
export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  const { hostname, port } = new URL(spec.url);
  if (!loopback.has(hostname)) throw new Error(`The load must go to loopback, not to ${hostname}.`);
  const load = new Load(spec);
  await Promise.all(Array.from({ length: spec.connections }, async () => await load.connect(hostname, Number(port))));
  return load.result();
}

class Load {
  readonly #spec: LoadSpec;
  readonly #prepared: readonly Buffer[];
  readonly #accepted: Buffer;
  readonly #startedMs = performance.now();
  readonly #endMs: number;
  readonly #latenciesMs: number[] = [];
  #requests = 0;
  #refused = 0;
  #endedMs = 0;

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#endMs = this.#startedMs + spec.seconds * 1000;
    this.#prepared = spec.headers === undefined ? spec.bodies.map((body) => this.#bytesOf(body, {})) : [];
    this.#accepted = Buffer.from(spec.eventsPerRequest === 1 ? '"eventId"' : `"accepted":${spec.eventsPerRequest},`);
  }

  async connect(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.setTimeout(lastAnswersMsMax, () => socket.destroy(new Error(`No answer within ${lastAnswersMsMax} ms.`)));
      socket.once('error', reject);
      socket.once('connect', () =>
        new LoadConnection(
          socket,
          this.#accepted,
          () => this.#next(),
          (isAccepted, ms) => this.#record(isAccepted, ms),
        ).send(),
      );
      socket.once('close', resolve);
    });
  }

  result(): LoadResult {
    return {
      seconds: (this.#endedMs - this.#startedMs) / 1000,
      accepted: this.#latenciesMs.length,
      refused: this.#refused,
      latenciesMs: Float64Array.from(this.#latenciesMs).toSorted(),
    };
  }

  #next(): Buffer | undefined {
    if (performance.now() >= this.#endMs) return undefined;
    const number = this.#requests;
    this.#requests += 1;
    const { bodies, headers } = this.#spec;
    const turn = number % bodies.length;
    return headers === undefined ? this.#prepared[turn]! : this.#bytesOf(bodies[turn]!, headers(number));
  }

  #record(isAccepted: boolean, ms: number): void {
    if (isAccepted) this.#latenciesMs.push(ms);
    else this.#refused += 1;
    this.#endedMs = performance.now();
  }

  #bytesOf(body: string, more: Readonly<Record<string, string>>): Buffer {
    const { url, path } = this.#spec;
    const headers = {
      host: new URL(url).host,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...more,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }
}

/** One connection with one request outstanding. */
class LoadConnection {
  readonly #socket: Socket;
  readonly #accepted: Buffer;
  readonly #next: () => Buffer | undefined;
  readonly #record: (isAccepted: boolean, ms: number) => void;
  #sentMs = 0;
  #head: Buffer | undefined;
  #bytesLeft = 0;
  #isAccepted = false;

  constructor(socket: Socket, accepted: Buffer, next: () => Buffer | undefined, record: (isAccepted: boolean, ms: number) => void) {
    this.#socket = socket;
    this.#accepted = accepted;
    this.#next = next;
    this.#record = record;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  send(): void {
    const request = this.#next();
    if (request === undefined) {
      this.#socket.end();
      return;
    }
    this.#sentMs = performance.now();
    this.#socket.write(request);
  }

  #read(chunk: Buffer): void {
    if (this.#bytesLeft > 0) this.#bytesLeft -= chunk.length;
    else this.#readHead(this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]));
    if (this.#head !== undefined || this.#bytesLeft > 0) return;
    this.#record(this.#isAccepted, performance.now() - this.#sentMs);
    this.send();
  }

  /** An answer is accepted if its head says 202 and the first bytes of its body show the accepted events. */
  #readHead(bytes: Buffer): void {
    const end = bytes.indexOf('\r\n\r\n');
    const needed = end + 4 + this.#accepted.length;
    if (end === -1 || bytes.length < needed) {
      this.#head = bytes;
      return;
    }
    this.#head = undefined;
    const head = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.#socket.destroy(new Error(`The answer has no content-length:\n${head}`));
      return;
    }
    this.#isAccepted = head.startsWith('202', 9) && bytes.indexOf(this.#accepted, end) === end + 5;
    this.#bytesLeft = end + 4 + Number(length) - bytes.length;
  }
}
