import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { FaultBook, Rule } from './fault-book.ts';
import { aborted, pause } from './relay.ts';
import type { StreamDialect } from './stream-dialect.ts';

/** Bytes that are read before earlier ones are delivered, per direction. Only a link that reads notices that its client has left. */
const readAheadBytesMax = 8 * 1024 * 1024;

/** One connection of a client, and the one to the target that belongs to it. */
export class StreamLink {
  readonly #book: FaultBook;
  readonly #dialect: StreamDialect;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #ended = new AbortController();
  /** Requests without an answer, and the faults that met them. */
  readonly #pending = new Map<number, Rule | undefined>();
  #count = 0;
  #hole: Rule | undefined;

  constructor(book: FaultBook, dialect: StreamDialect, client: Socket, upstream: Socket) {
    this.#book = book;
    this.#dialect = dialect;
    this.#client = client;
    this.#upstream = upstream;
  }

  run(): void {
    const [client, upstream] = [this.#client, this.#upstream];
    // A failed side ends the other side, as a client would see it without a proxy.
    client.on('error', () => this.cut());
    upstream.on('error', () => this.cut());
    // The other end of the black hole no longer waits. Neither Redis nor Kafka clients close one direction only.
    client.on('end', () => {
      if (this.#hole !== undefined) this.cut();
    });
    client.on('close', () => {
      this.#ended.abort();
      for (const id of this.#pending.keys()) this.#settle(id);
      upstream.destroy();
    });
    void this.#pump(client, upstream, async (unit) => await this.#passesOut(unit));
    void this.#pump(upstream, client, async (unit) => await this.#passesBack(unit));
  }

  /** Resets the connection. */
  cut(): void {
    this.#client.resetAndDestroy();
    this.#upstream.destroy();
  }

  async #pump(from: Socket, to: Socket, passes: (unit: Buffer) => Promise<Buffer | undefined>): Promise<void> {
    const ahead = new PassThrough({ highWaterMark: readAheadBytesMax });
    from.pipe(ahead);
    from.on('close', () => ahead.destroy());
    try {
      for await (const unit of this.#dialect.units(ahead as AsyncIterable<Buffer>)) {
        const pass = await passes(unit);
        if (this.#ended.signal.aborted || to.destroyed) return;
        if (pass !== undefined && !to.write(pass)) await once(to, 'drain', { signal: this.#ended.signal });
      }
      to.end();
    } catch {
      // The socket was cut, or what came is not the dialect's: either way the connection is over.
      this.cut();
    }
  }

  async #passesOut(unit: Buffer): Promise<Buffer> {
    const { id, seen } = this.#dialect.request(unit);
    const rule = this.#book.take(seen);
    this.#count += 1;
    this.#pending.set(id ?? -this.#count, rule);
    if (rule?.fault.kind === 'reset') this.cut();
    if (rule?.fault.kind === 'black-hole') this.#hole = rule;
    await this.#inBlackHole(this.#hole);
    await this.#slowed(rule, unit, true);
    return unit;
  }

  async #passesBack(unit: Buffer): Promise<Buffer | undefined> {
    await this.#inBlackHole(this.#hole ?? this.#book.blackHole());
    const id = this.#dialect.answered(unit);
    const ids = id === undefined ? [...this.#pending.keys()] : [id];
    const rules = ids.map((one) => this.#pending.get(one));
    for (const rule of rules) await this.#slowed(rule, unit, false);
    for (const one of ids) this.#settle(one);
    if (rules.some((rule) => rule?.fault.kind === 'apply-then-drop')) this.cut();
    if (rules.some((rule) => rule?.fault.kind === 'swallow-answer')) return undefined;
    return rules.some((rule) => rule?.fault.kind === 'cut-answer') ? this.#dialect.cut(unit) : unit;
  }

  async #inBlackHole(rule: Rule | undefined): Promise<void> {
    if (rule !== undefined) await Promise.race([aborted(rule.cleared), aborted(this.#ended.signal)]);
    if (this.#hole === rule) this.#hole = undefined;
  }

  async #slowed(rule: Rule | undefined, unit: Buffer, out: boolean): Promise<void> {
    if (rule?.fault.kind !== 'slow') return;
    const { latencyMs = 0, bytesPerSecond = Infinity } = rule.fault;
    await pause((out ? latencyMs : 0) + (unit.length * 1000) / bytesPerSecond, this.#ended.signal);
  }

  #settle(id: number): void {
    if (!this.#pending.has(id)) return;
    this.#book.finish(this.#pending.get(id));
    this.#pending.delete(id);
  }
}
