import { Readable } from 'node:stream';
import { ProblemError } from '../../errors.ts';

/** Options of {@link HystrixStream}. */
export interface HystrixStreamOptions {
  /** Returns the current state of every command. */
  readonly commands: () => readonly Readonly<Record<string, unknown>>[];
  /** Time between two events in milliseconds. Default 500, as in Hystrix. */
  readonly tickMs?: number;
  /** Maximum number of clients. Default 5, as in Hystrix. */
  readonly clientsMax?: number;
  /** Unread bytes above which a client misses ticks. Default 262 144. */
  readonly unreadBytesMax?: number;
}

/**
 * Server-sent events in Hystrix's format: one `data` line per command at every tick, or `ping:` without a command. The stream reads the
 * commands once per tick for all clients, and never without a client.
 */
export class HystrixStream {
  readonly #clients = new Set<Readable>();
  readonly #options: Required<HystrixStreamOptions>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HystrixStreamOptions) {
    this.#options = { tickMs: 500, clientsMax: 5, unreadBytesMax: 262_144, ...options };
  }

  /** Number of current clients. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Adds a client. It leaves when its stream is destroyed.
   * @throws ProblemError `overloaded` at the maximum number of clients, `unavailable` when the service stops
   */
  connect(): Readable {
    const { clientsMax, tickMs } = this.#options;
    if (this.#closed) throw new ProblemError('unavailable', { detail: 'The service is stopping.', retryAfterSeconds: 1 });
    if (this.#clients.size >= clientsMax)
      throw new ProblemError('overloaded', {
        detail: `Too many clients: at most ${clientsMax} clients can read this stream.`,
        retryAfterSeconds: 30,
      });
    const client = new Readable({ read: () => undefined });
    this.#clients.add(client);
    client.once('close', () => this.#leave(client));
    client.push(this.#frame());
    this.#timer ??= setInterval(() => this.tick(), tickMs);
    this.#timer.unref();
    return client;
  }

  /** Sends the current state. A client that does not read misses it, because old values are useless. */
  tick(): void {
    const frame = this.#frame();
    for (const client of this.#clients) {
      if (client.readableLength <= this.#options.unreadBytesMax) client.push(frame);
    }
  }

  /** Ends every stream and rejects new clients. */
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
