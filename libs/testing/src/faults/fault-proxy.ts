import { freePort } from '../processes/free-port.ts';
import { faultsOf, type Fault, type ProxyProtocol } from './fault.ts';
import { FaultBook, Rule, type ActiveFault, type InjectOptions, type ProxyCounts } from './fault-book.ts';
import { HttpRelay } from './http-relay.ts';
import { pause, type Relay, type Target } from './relay.ts';
import { kafkaDialect, plainDialect } from './stream-dialect.ts';
import { StreamRelay } from './stream-relay.ts';

/** Target of a proxy. */
export interface FaultProxyOptions {
  readonly protocol: ProxyProtocol;
  /** `host:port` or a URL with a port. */
  readonly target: string;
  /** Port to listen on. Default: a free one. For Kafka it must be the port that the proxied listener advertises. */
  readonly port?: number;
}

/**
 * A proxy on loopback between a service and a dependency. It produces faults on demand, for the next matching requests or until cleared.
 * Without a fault it changes nothing but the address.
 *
 * Faults are met in the order in which they were injected; a request meets one at most.
 */
export class FaultProxy {
  readonly protocol: ProxyProtocol;
  readonly port: number;
  readonly #book = new FaultBook();
  readonly #relay: Relay;
  #refusing: Rule | undefined;
  #closed = false;

  private constructor(protocol: ProxyProtocol, target: Target, port: number) {
    this.protocol = protocol;
    this.port = port;
    this.#relay =
      protocol === 'http'
        ? new HttpRelay(this.#book, target)
        : new StreamRelay(this.#book, target, protocol === 'kafka' ? kafkaDialect : plainDialect);
  }

  /**
   * Starts a proxy. The target need not answer yet.
   *
   * @throws TypeError when the target names no port
   * @throws Error when the port is taken
   */
  static async start({ protocol, target, port }: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(protocol, targetOf(target), port ?? (await freePort()));
    await proxy.#relay.listen(proxy.port);
    return proxy;
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `http://127.0.0.1:port` for HTTP, `redis://127.0.0.1:port` for plain TCP and `kafka://127.0.0.1:port` for Kafka. */
  get url(): string {
    return `${{ http: 'http', tcp: 'redis', kafka: 'kafka' }[this.protocol]}://${this.address}`;
  }

  /** Counts of the traffic so far. */
  get counts(): ProxyCounts {
    return this.#book.counts();
  }

  /**
   * Injects a fault.
   *
   * @throws TypeError when the protocol cannot produce it, or `refuse` is given a limit or a matcher: refused connections ask for nothing
   */
  async inject(fault: Fault, options: InjectOptions = {}): Promise<ActiveFault> {
    if (!faultsOf[this.protocol].includes(fault.kind))
      throw new TypeError(`A ${this.protocol} proxy cannot produce the fault ${fault.kind}.`);
    const copies = { method: 'PUT', headers: { 'x-amz-copy-source': true } };
    const rule = new Rule(
      fault,
      fault.kind === 'copy-error'
        ? { ...options, when: { ...options.when, ...copies, headers: { ...options.when?.headers, ...copies.headers } } }
        : options,
    );
    if (fault.kind === 'refuse') {
      if (options.times !== undefined || options.when !== undefined)
        throw new TypeError('The fault refuse affects every request until it is cleared: leave out times and when.');
      this.#refusing ??= rule;
    }
    this.#book.add(rule);
    if (fault.kind === 'refuse') await this.#relay.drop();
    return {
      fault,
      get hits() {
        return rule.hits;
      },
      get active() {
        return rule.active;
      },
      hit: async (count = 1) => await rule.reached('hits', count),
      done: async (count = 1) => await rule.reached('done', count),
      clear: async () => {
        rule.clear();
        if (rule === this.#refusing) await this.#listenAgain();
      },
    };
  }

  /** Clears every fault. */
  async clear(): Promise<void> {
    this.#book.clear();
    if (this.#refusing !== undefined) await this.#listenAgain();
  }

  /** Stops listening and drops every connection. Delayed bytes are still delivered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#book.clear();
    await this.#relay.drop();
  }

  async #listenAgain(): Promise<void> {
    this.#refusing = undefined;
    if (this.#closed) return;
    // Another process may use the port for a moment.
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#relay.listen(this.port);
      } catch (error) {
        if (tries === 50) throw error;
        await pause(100);
      }
    }
  }
}

function targetOf(target: string): Target {
  const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
  if (port === '') throw new TypeError(`The target ${target} names no port.`);
  return { host: hostname, port: Number(port) };
}
