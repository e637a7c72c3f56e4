import { purchases } from '@millrace/contracts';
import { rowsOf } from './parts/memory-spool.ts';
import { purchaseLine } from './parts/purchase-line.ts';
import { tick } from './parts/tick.ts';
import { BucketReader } from './verdict/bucket-reader.ts';
import { soundMakers } from './world/makers.ts';
import { World } from './world/world.ts';
import type { Writer } from './world/writer.ts';

/** Size and length of a fleet. */
export interface FleetOptions {
  readonly partitions: number;
  readonly sinks: number;
  /** Flushes of every lane without a change of the group. */
  readonly rounds: number;
  /** Sinks that a rolling restart stops and starts, one after the other. Every third is killed instead. */
  readonly restarts: number;
}

/** Requests to the object store, by kind. */
export type Requests = Readonly<Record<'put' | 'copy' | 'get' | 'head' | 'list' | 'delete', number>>;

/** Measurements of a fleet. */
export interface FleetReport {
  readonly events: number;
  /** Requests of the flushes while the group did not change. */
  readonly steady: Requests;
  readonly steadyBatches: number;
  /** Requests of the lanes that moved, from their start to the end of their first flush. */
  readonly moved: Requests;
  readonly rebalances: number;
  readonly lanesMoved: number;
  /** Bytes of all entries of the ledger, and their number. */
  readonly entryBytes: number;
  readonly entries: number;
  /** Records that are in no row, and rows beyond the first of a record. */
  readonly lost: number;
  readonly doubled: number;
  /** Partitions whose audit is not `complete`. */
  readonly incomplete: number;
}

/** Records that each lane takes between two flushes. */
const eventsPerFlush = 3;

/** A partition with its topic, its part of the bucket, and the lane that has it. */
interface Place {
  readonly world: World;
  events: number;
  holder: { readonly sink: number; readonly writer: Writer } | undefined;
}

/**
 * Runs the sink's own lanes as a fleet: partitions spread over sinks, as the consumer group spreads them. It counts the requests to the
 * store. Then it restarts sinks one after the other while lanes hold records that have not landed. In the end it counts every record.
 *
 * @param tell receives lines that report the progress
 */
export async function runFleet(options: FleetOptions, tell: (line: string) => void = () => undefined): Promise<FleetReport> {
  return await new Fleet(options, tell).run();
}

class Fleet {
  readonly #options: FleetOptions;
  readonly #tell: (line: string) => void;
  readonly #places: readonly Place[];
  #rebalances = 0;
  #lanesMoved = 0;
  #steady = none();
  #steadyBatches = 0;
  #moved = none();
  /** Lanes that started since the last flush. */
  #fresh: Writer[] = [];

  constructor(options: FleetOptions, tell: (line: string) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#places = Array.from({ length: options.partitions }, () => ({ world: new World(), events: 0, holder: undefined }));
  }

  async run(): Promise<FleetReport> {
    const { sinks, rounds, restarts } = this.#options;
    const all = Array.from({ length: sinks }, (_, sink) => sink);
    await this.#assign(all);
    await this.#flush();
    this.#rebalances = 0;
    this.#lanesMoved = 0;
    this.#moved = none();
    for (let round = 1; round <= rounds; round += 1) await this.#steadyRound(round);
    for (let restart = 0; restart < restarts; restart += 1) {
      const sink = restart % sinks;
      await this.#open();
      await this.#assign(
        all.filter((one) => one !== sink),
        restart % 3 === 2 ? sink : undefined,
      );
      await this.#flush();
      await this.#open();
      await this.#assign(all);
      await this.#flush();
      this.#tell(`sink ${restart + 1} of ${restarts} restarted: ${this.#lanesMoved} lanes moved so far`);
    }
    return await this.#report();
  }

  async #steadyRound(round: number): Promise<void> {
    const [before, batches] = [this.#requests(), this.#batches()];
    await this.#open();
    await this.#flush();
    this.#steady = sum(this.#steady, minus(this.#requests(), before));
    this.#steadyBatches += this.#batches() - batches;
    this.#tell(`flush ${round} of ${this.#options.rounds}: ${this.#steadyBatches} batches`);
  }

  /** Every lane takes records, and does not land them yet. */
  async #open(): Promise<void> {
    for (const place of this.#places) {
      for (let n = 0; n < eventsPerFlush; n += 1) {
        place.world.topic.append(purchaseLine(place.events));
        place.events += 1;
      }
      const { writer } = place.holder!;
      void writer.log.fetch(writer.lanes, eventsPerFlush);
    }
    await tick();
    await tick();
  }

  /** Every lane lands all that its topic has. */
  async #flush(): Promise<void> {
    await Promise.all(this.#places.map(async ({ world, holder }) => await world.run(holder!.writer, 1000)));
    for (const writer of this.#fresh) this.#moved = sum(this.#moved, requestsOf(writer));
    this.#fresh = [];
  }

  /**
   * Spreads the partitions over members as kafkajs does: round robin, so that most partitions move when a member comes or goes.
   *
   * @param killed a member that died and did not leave
   */
  async #assign(members: readonly number[], killed?: number): Promise<void> {
    this.#rebalances += 1;
    await Promise.all(
      this.#places.map(async (place, partition) => {
        const sink = members[partition % members.length]!;
        const { holder } = place;
        if (holder?.sink === sink) {
          holder.writer.log.seek(place.world.topic.low);
          holder.writer.lane.rejoin();
          return;
        }
        if (holder !== undefined) {
          if (holder.sink === killed) holder.writer.life.kill();
          else await holder.writer.lose();
          this.#lanesMoved += 1;
        }
        const writer = place.world.writer({ entriesPerCheckpoint: 1000 });
        place.holder = { sink, writer };
        writer.start();
        this.#fresh.push(writer);
      }),
    );
  }

  #requests(): Requests {
    return this.#places.reduce((total, { holder }) => sum(total, requestsOf(holder!.writer)), none());
  }

  #batches(): number {
    return this.#places.reduce((total, { world }) => total + world.bucket.keys('_ledger/').length, 0);
  }

  async #report(): Promise<FleetReport> {
    let [events, lost, doubled, incomplete, entryBytes, entries] = [0, 0, 0, 0, 0, 0];
    for (const { world, events: appended } of this.#places) {
      const offsets = world.rows().map(({ _offset: offset }) => offset);
      const distinct = new Set(offsets).size;
      events += appended;
      lost += appended - distinct;
      doubled += offsets.length - distinct;
      for (const key of world.bucket.keys('_ledger/')) entryBytes += world.bucket.objects.get(key)!.byteLength;
      entries += world.bucket.keys('_ledger/').length;
      const { verdict } = await soundMakers.audit({
        store: new BucketReader(world.bucket),
        stream: purchases,
        now: () => 0,
        rowsOf: async (store, key) => rowsOf((await store.get(key))!).length,
      });
      if (verdict !== 'complete') incomplete += 1;
    }
    return {
      events,
      steady: this.#steady,
      steadyBatches: this.#steadyBatches,
      moved: this.#moved,
      rebalances: this.#rebalances,
      lanesMoved: this.#lanesMoved,
      entryBytes,
      entries,
      lost,
      doubled,
      incomplete,
    };
  }
}

function none(): Requests {
  return { put: 0, copy: 0, get: 0, head: 0, list: 0, delete: 0 };
}

function requestsOf({ life }: Writer): Requests {
  const counts = { ...none() };
  for (const effect of life.effects) {
    const kind = /^(put|copy|get|head|list|delete) /.exec(effect)?.[1] as keyof Requests | undefined;
    if (kind !== undefined) counts[kind] += 1;
  }
  return counts;
}

function combine(one: Requests, other: Requests, by: (a: number, b: number) => number): Requests {
  return Object.fromEntries(Object.entries(one).map(([kind, count]) => [kind, by(count, other[kind as keyof Requests])])) as Requests;
}

function sum(one: Requests, other: Requests): Requests {
  return combine(one, other, (a, b) => a + b);
}

function minus(one: Requests, other: Requests): Requests {
  return combine(one, other, (a, b) => a - b);
}
