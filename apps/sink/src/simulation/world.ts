import { purchases } from '@millrace/contracts';
import { Ledger, type LaneId, type LedgerEntry } from '@millrace/lake';
import type { Clock } from '@millrace/resilience';
import { checkOf } from '../check.ts';
import { Lane } from '../lane.ts';
import { Pipeline } from '../pipeline.ts';
import { Registrar } from '../registrar.ts';
import type { SinkEvent } from '../sink-events.ts';
import { SpoolBudget } from '../spool-budget.ts';
import { Incarnation } from './incarnation.ts';
import { LineEncoder, MemorySpool } from './memory-spool.ts';
import { SimulatedBucket, SimulatedStore } from './simulated-store.ts';
import { SimulatedLog, SimulatedTopic } from './simulated-log.ts';

/** The lane that the simulation writes. */
export const simulatedLane: LaneId = { table: 'purchases', topic: purchases.topic.name, partition: 0 };

// Compiled once: a schedule is a matter of microseconds.
const check = checkOf(purchases, 0);

/** A writer: one incarnation of a process with its lane. */
export interface Writer {
  readonly life: Incarnation;
  readonly lane: Lane;
  readonly log: SimulatedLog;
  readonly events: SinkEvent[];
  /** Starts the lane, once. */
  start(): void;
  /** Fires the flush timer, if one is set. */
  flush(): void;
}

/** Everything outside the processes: the topic, the bucket, the catalog. */
export class World {
  readonly topic = new SimulatedTopic();
  readonly bucket = new SimulatedBucket();
  readonly registered = new Set<string>();
  #ids = 0;

  /** Starts a writer on this world. */
  writer(options: { readonly flushBytes?: number; readonly dieAfter?: number } = {}): Writer {
    const life = new Incarnation(options.dieAfter);
    const timers = new Map<number, () => void>();
    let handles = 0;
    let started = false;
    const clock: Clock = {
      now: () => 0,
      setTimeout: (run) => {
        handles += 1;
        timers.set(handles, run);
        return handles;
      },
      clearTimeout: (handle) => void timers.delete(handle as number),
    };
    const events: SinkEvent[] = [];
    const log = new SimulatedLog(this.topic, life);
    const store = new SimulatedStore(this.bucket, life);
    const spool = new MemorySpool(life);
    const registrar = new Registrar(
      {
        register: async (values) => await life.effect(`register ${values.join(' ')}`, () => values.forEach((value) => this.registered.add(value))),
        partitions: async () => [...this.registered].map((value) => ({ value })),
      },
      { wait: async () => await tick() },
      () => undefined,
    );
    const pipeline = new Pipeline({
      lane: simulatedLane,
      context: { stream: purchases, lane: simulatedLane, writer: 'writer', cluster: this.topic.cluster },
      check,
      store,
      ledger: new Ledger(store, simulatedLane),
      encoder: new LineEncoder(life, spool),
      log,
      registrar,
      // A dead process waits for ever; a living one tries again in the next turn.
      patience: { wait: async () => await (life.alive ? tick() : new Promise<never>(() => undefined)) },
      observe: (event) => void events.push(event),
    });
    const budget: SpoolBudget = new SpoolBudget(Number.MAX_SAFE_INTEGER, () => lane.room());
    const lane: Lane = new Lane(0, {
      pipeline,
      spool,
      budget,
      clock,
      newId: () => {
        this.#ids += 1;
        return `batch-${this.#ids}`;
      },
      settings: { flushBytes: options.flushBytes ?? Number.MAX_SAFE_INTEGER, flushAgeMs: 1000 },
    });
    return {
      life,
      lane,
      log,
      events,
      start() {
        if (started) return;
        started = true;
        void lane.start();
      },
      flush() {
        const due = [...timers.values()];
        timers.clear();
        for (const run of due) run();
      },
    };
  }

  /** Lets a writer consume and land everything, or live until it dies. Bounded: a lane that hangs fails the test that uses it. */
  async run(writer: Writer, fetchCount = 3): Promise<void> {
    writer.start();
    for (let turns = 0; turns < 5000; turns += 1) {
      await tick();
      if (!writer.life.alive || writer.lane.state.kind === 'refused') return;
      if (writer.lane.state.kind !== 'running') continue;
      // Not awaited: a dead writer's take never returns.
      const fetched = await Promise.race([writer.log.fetch(writer.lane, fetchCount), writer.life.death.then(() => false)]);
      if (fetched) continue;
      if (writer.lane.landed === this.topic.high) return;
      if (writer.lane.queued === 0) writer.flush();
    }
    throw new Error(`the writer did not land ${this.topic.high}: it stands at ${writer.lane.position}, landed ${writer.lane.landed}`);
  }

  /** The entries from the oldest to the newest. */
  entries(): LedgerEntry[] {
    return this.bucket
      .keys('_ledger/')
      .map((key) => this.bucket.json(key) as LedgerEntry)
      .toReversed();
  }

  /** What a reader of the table sees: every row of every visible file. */
  rows(): { _offset: number; event_id: string }[] {
    return this.bucket.keys('purchases/').flatMap((key) =>
      Buffer.from(this.bucket.objects.get(key)!)
        .toString()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { _offset: number; event_id: string }),
    );
  }

  /** Offsets of the records that fit the contract. */
  accepted(): number[] {
    return this.topic.records.filter((record) => check(record).kind === 'row').map(({ offset }) => offset);
  }
}

/** The next turn of the event loop: everything that can go on has gone on. */
export async function tick(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A valid purchase as it stands in the topic. */
export function purchaseLine(n: number, overrides: Record<string, unknown> = {}): string {
  return JSON.stringify({
    eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: `user-${n % 7}`,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641 + (n % 2) * 86_400,
    ...overrides,
  });
}
