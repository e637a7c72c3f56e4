import { createServer, type Server } from 'node:net';
import type { FaultBook } from './fault-book.ts';
import { connectTo, type Relay, type Target } from './relay.ts';
import type { StreamDialect } from './stream-dialect.ts';
import { StreamLink } from './stream-link.ts';

/** Relays byte streams, connection by connection. */
export class StreamRelay implements Relay {
  readonly #book: FaultBook;
  readonly #target: Target;
  readonly #dialect: StreamDialect;
  readonly #links = new Set<StreamLink>();
  #server: Server | undefined;

  constructor(book: FaultBook, target: Target, dialect: StreamDialect) {
    this.#book = book;
    this.#target = target;
    this.#dialect = dialect;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const link = new StreamLink(this.#book, this.#dialect, client, connectTo(this.#target));
      this.#links.add(link);
      client.on('close', () => this.#links.delete(link));
      link.run();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async drop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const link of this.#links) link.cut();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}
