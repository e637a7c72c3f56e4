import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Fault, SeenRequest } from './fault.ts';
import type { FaultBook } from './fault-book.ts';
import { HttpExchange } from './http-exchange.ts';
import { aborted, pause, type Relay, type Target } from './relay.ts';

/** Relays HTTP, request by request. */
export class HttpRelay implements Relay {
  readonly #book: FaultBook;
  readonly #target: Target;
  #server: Server | undefined;

  constructor(book: FaultBook, target: Target) {
    this.#book = book;
    this.#target = target;
  }

  async listen(port: number): Promise<void> {
    // The relay has no timeouts: the tests measure how long a client waits.
    const server = createServer(
      { keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 },
      (request, response) => void this.#serve(request, response),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async drop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const rule = this.#book.take(seenOf(request));
    const exchange = new HttpExchange(request, response, this.#target);
    try {
      await this.#run(exchange, rule?.fault);
    } catch {
      // The target or the client broke off: the other side sees just that.
      exchange.reset();
    } finally {
      this.#book.finish(rule);
    }
  }

  async #run(exchange: HttpExchange, fault: Fault | undefined): Promise<void> {
    switch (fault?.kind) {
      case undefined:
      case 'refuse':
        return await exchange.relay();
      case 'slow':
        await pause(fault.latencyMs ?? 0, exchange.gone);
        return await exchange.relay(fault.bytesPerSecond);
      case 'ignore-header':
        exchange.ignore(fault.header);
        return await exchange.relay();
      case 'black-hole':
        exchange.drain();
        return await aborted(exchange.gone);
      case 'reset':
        return exchange.reset();
      case 'status':
        return exchange.fail(fault.status, fault.code);
      case 'copy-error':
        if (fault.apply === true) await exchange.deliver(await exchange.body());
        return exchange.fail(200, 'InternalError');
      case 'apply-then-status':
        await exchange.deliver(await exchange.body());
        return exchange.fail(fault.status, fault.code);
      case 'apply-then-drop':
        await exchange.deliver(await exchange.body());
        return exchange.reset();
      case 'swallow-answer':
        await exchange.deliver(await exchange.body());
        return await aborted(exchange.gone);
      case 'twice': {
        const body = await exchange.body();
        const first = await exchange.deliver(body);
        const second = await exchange.deliver(body);
        return exchange.answer(fault.answer === 'first' ? first : second);
      }
      case 'late': {
        const body = await exchange.body();
        await aborted(exchange.gone);
        await pause(fault.afterMs ?? 0);
        await exchange.deliver(body);
      }
    }
  }
}

function seenOf({ method, url = '/', headers }: IncomingMessage): SeenRequest {
  const at = url.indexOf('?');
  return {
    method: method!,
    path: at === -1 ? url : url.slice(0, at),
    query: new URLSearchParams(at === -1 ? '' : url.slice(at + 1)),
    headers,
  };
}
