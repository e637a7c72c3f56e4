import { Readable } from 'node:stream';
import { ProblemError } from '../../errors.ts';

/** How the stream behaves. */
export interface HystrixStreamOptions {
  /** The state of every command now. */
  readonly commands: () => readonly Readonly<Record<string, unknown>>[];
  /** Time between two looks in milliseconds. Default 500, as Hystrix. */
  readonly tickMs?: number;
  /** Most clients at once. Default 5, as Hystrix. */
  readonly clientsMax?: number;
  /** Bytes a client may leave unread before it misses ticks. Default 262 144. */
  readonly unreadBytesMax?: number;
}

/**
 * Server-sent events in Hystrix's form: one `data` line for each command at every tick, or `ping:` when there is none. The commands are looked
 * at once a tick however many clients listen, and not at all when none does.
 */
export class HystrixStream {
  readonly #clients = new Set<Readable>();
  readonly #options: Required<HystrixStreamOptions>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HystrixStreamOptions) {
    this.#options = { tickMs: 500, clientsMax: 5, unreadBytesMax: 262_144, ...options };
  }

  /** Clients that listen now. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Takes a client in. Destroying the stream lets it go.
   * @throws ProblemError `overloaded` when as many listen as may, `unavailable` when the service stops
   */
  connect(): Readable {
    const { clientsMax, tickMs } = this.#options;
    if (this.#closed) throw new ProblemError('unavailable', { detail: 'The service is stopping.', retryAfterSeconds: 1 });
    if (this.#clients.size >= clientsMax) throw new ProblemError('overloaded', { detail: `${clientsMax} clients read this stream, as many as may.`, retryAfterSeconds: 30 });
    const client = new Readable({ read: () => undefined });
    this.#clients.add(client);
    client.once('close', () => this.#leave(client));
    client.push(this.#frame());
    this.#timer ??= setInterval(() => this.tick(), tickMs);
    this.#timer.unref();
    return client;
  }

  /** Sends the state of now. A client that does not read misses it: old figures are worth nothing. */
  tick(): void {
    const frame = this.#frame();
    for (const client of this.#clients) {
      if (client.readableLength <= this.#options.unreadBytesMax) client.push(frame);
    }
  }

  /** Ends every stream, and takes no client any more. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) {
      client.push(null);
      this.#leave(client);
    }
  }

  #leave(client: Readable): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #frame(): string {
    const commands = this.#options.commands();
    return commands.length === 0 ? 'ping: \n\n' : commands.map((command) => `data: ${JSON.stringify(command)}\n\n`).join('');
  }
}
