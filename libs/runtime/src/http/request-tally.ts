import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request that has ended, complete or not. */
export interface EndedRequest {
  /** Method; `unknown` when the bytes were not a request. */
  readonly method: string;
  /** Pattern of the route; `unmatched` without one. */
  readonly route: string;
  /**
   * Status of the answer. Of an answer that is not complete: 499 when the client closed the connection, 500 when the service cut it off.
   */
  readonly status: number;
  /** Time from the head of the request to the end, in milliseconds. */
  readonly durationMs: number;
}

/** Gets the begin and the end of each request. */
export interface RequestObserver {
  began(): void;
  ended(request: EndedRequest): void;
}

/** A request in flight. */
export interface OpenRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Resolves when the request has ended. */
  readonly ended: Promise<void>;
}

/** Requests of one connection. */
export interface ConnectionRequests {
  /** Requests without a complete answer, in the order in which they came. */
  readonly open: readonly OpenRequest[];
  /** The newest request, open or not. */
  readonly last: OpenRequest | undefined;
}

interface Entry extends OpenRequest {
  readonly startedMs: number;
  readonly resolve: () => void;
  route: string;
  status: number | undefined;
}
interface Connection {
  readonly open: Set<Entry>;
  last: Entry | undefined;
}

// Properties and not WeakMaps: the garbage collector visits every entry of a WeakMap again in each cycle.
const entryProperty = Symbol('entry');
const connectionProperty = Symbol('connection');
type Followed = IncomingMessage & { [entryProperty]?: Entry };
type FollowedSocket = Socket & { [connectionProperty]?: Connection };

/**
 * Follows each request from its head to its end and reports each end once.
 *
 * The end is the `close` of the response. Node emits it in every case: after a truncated body, for a pipelined request that was never
 * answered, and after a reset connection. Fastify's own hooks miss these, and requests that fail before routing.
 */
export class RequestTally {
  readonly #now: () => number;
  #observer: RequestObserver | undefined;

  /** @param now Monotonic clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Sets the observer. Call it before the server listens. */
  observe(observer: RequestObserver): void {
    this.#observer = observer;
  }

  /** Follows the requests of a server. */
  follow(server: Server): void {
    server.prependListener('request', (request, response) => this.#begin(request, response));
    // Without a listener Node answers 417 by itself, unseen. RFC 9110 (10.1.1) lets a server ignore an expectation that it does not know.
    server.on('checkExpectation', (request, response) => void server.emit('request', request, response));
  }

  /** Notes the route that a request matched. */
  setRoute(request: IncomingMessage, route: string): void {
    const entry = (request as Followed)[entryProperty];
    if (entry !== undefined) entry.route = route;
  }

  /** Resolves when a request has ended; at once for one that is not followed. */
  endOf(request: IncomingMessage): Promise<void> {
    return (request as Followed)[entryProperty]?.ended ?? Promise.resolve();
  }

  /** Sets the status of a request whose response object does not show it: its answer was written or cut off below. */
  settle(request: IncomingMessage, status: number): void {
    const entry = (request as Followed)[entryProperty];
    if (entry !== undefined) entry.status ??= status;
  }

  /** The status of the answer to a followed request that has ended, as in {@link EndedRequest}. */
  statusOf(request: IncomingMessage): number {
    const entry = (request as Followed)[entryProperty];
    if (entry === undefined) throw new TypeError('the request is not followed');
    return entry.status ?? statusOf(entry);
  }

  /** Reports bytes that never became a request as a request that began and ended at once. */
  tellUnread(status: number, method = 'unknown'): void {
    this.#observer?.began();
    this.#observer?.ended({ method, route: 'unmatched', status, durationMs: 0 });
  }

  /** The requests of a connection. */
  ofConnection(socket: Socket): ConnectionRequests {
    const connection = (socket as FollowedSocket)[connectionProperty];
    return { open: [...(connection?.open ?? [])], last: connection?.last };
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry: Entry = { request, response, ended: promise, resolve, startedMs: this.#now(), route: 'unmatched', status: undefined };
    const socket = request.socket as FollowedSocket;
    const connection = (socket[connectionProperty] ??= { open: new Set<Entry>(), last: undefined });
    (request as Followed)[entryProperty] = entry;
    connection.open.add(entry);
    connection.last = entry;
    this.#observer?.began();
    // Emitted once, so `on` is enough and costs less than `once`.
    response.on('close', () => {
      connection.open.delete(entry);
      const status = entry.status ?? statusOf(entry);
      this.#observer?.ended({ method: request.method ?? 'unknown', route: entry.route, status, durationMs: this.#now() - entry.startedMs });
      entry.resolve();
    });
  }
}

function statusOf({ request: { socket }, response }: Entry): number {
  if (response.writableFinished) return response.statusCode;
  return socket.readableEnded || socket.errored !== null ? 499 : 500;
}
