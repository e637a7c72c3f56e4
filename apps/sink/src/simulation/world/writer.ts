import { purchases } from '@millrace/contracts';
import { Checkpointer, type LaneId } from '@millrace/lake';
import type { Clock } from '@millrace/resilience';
import { checkOf } from '../../batch/records/check.ts';
import { publishRecorded } from '../../batch/publish-recorded.ts';
import { Lane } from '../../lane/lane.ts';
import { Lanes } from '../../lane/lanes.ts';
import type { BatchSteps } from '../../batch/batch-steps.ts';
import { Registrar } from '../../batch/registrar.ts';
import type { OrphanedBatches } from '../../spool/orphaned-batches.ts';
import type { SinkEvent } from '../../sink-events.ts';
import { SpoolBudget } from '../../spool/budget/spool-budget.ts';
import { WindowSnapshots } from '../../dedup/window-snapshots.ts';
import { Incarnation } from '../parts/incarnation.ts';
import { soundMakers, type Makers } from './makers.ts';
import { LineEncoder, MemorySpool, SimulatedDisk } from '../parts/memory-spool.ts';
import { SimulatedLog, type SimulatedTopic } from '../parts/simulated-log.ts';
import { SimulatedStore, type SimulatedBucket } from '../parts/simulated-store.ts';
import { tick } from '../parts/tick.ts';

/** The lane that the simulation writes. */
export const simulatedLane: LaneId = { table: 'purchases', topic: purchases.topic.name, partition: 0 };

// Compiled once: a schedule is a matter of microseconds.
export const check = checkOf(purchases, 0);

/** The parts of the world that a writer reaches. */
export interface WriterWorld {
  readonly topic: SimulatedTopic;
  readonly bucket: SimulatedBucket;
  /** Values of the partitions that the catalog knows. */
  readonly registered: Set<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Returns a number that no two batches share. */
  nextId(): number;
}

/** Options of a simulated writer. */
export interface WriterOptions {
  /** Default: seals by age only. */
  readonly flushBytes?: number;
  /** Number of effects after which it dies. */
  readonly dieAfter?: number;
  /** The disk of its machine. Default: a new one. */
  readonly disk?: SimulatedDisk;
  /** Looks for batches of dead writers on its disk only on request, not at its start. Default false. */
  readonly lateDeath?: boolean;
  /** Default 1000. */
  readonly dedupOffsets?: number;
  /** Maximum bytes on disk. Default: no limit. */
  readonly bytesMax?: number;
  /** The budget, if other writers share it. Default: a separate budget. */
  readonly budget?: SpoolBudget;
  /** Default: as the sink. */
  readonly entriesPerSnapshot?: number;
  /** Default: no checkpoints. */
  readonly entriesPerCheckpoint?: number;
  readonly makers?: Makers;
}

/** A writer: one incarnation of a process, with the lane it holds, or held last. */
export class Writer {
  readonly life: Incarnation;
  readonly disk: SimulatedDisk;
  readonly log: SimulatedLog;
  readonly events: SinkEvent[] = [];
  readonly lanes: Lanes;
  lane: Lane;
  readonly #world: WriterWorld;
  readonly #options: WriterOptions;
  readonly #makers: Makers;
  readonly #timers = new Map<number, () => void>();
  readonly #spool: MemorySpool;
  readonly #budget: SpoolBudget;
  readonly #orphans: OrphanedBatches;
  #handles = 0;
  #started: Promise<void> | undefined;

  constructor(world: WriterWorld, options: WriterOptions) {
    this.#world = world;
    this.#options = options;
    this.#makers = options.makers ?? soundMakers;
    this.life = new Incarnation(options.dieAfter);
    this.disk = options.disk ?? new SimulatedDisk();
    this.log = new SimulatedLog(world.topic, this.life);
    this.#spool = new MemorySpool(this.life, this.disk);
    this.#budget =
      options.budget ??
      new SpoolBudget({ bytesMax: options.bytesMax ?? Number.MAX_SAFE_INTEGER, openSegmentsMax: 1000 }, () => this.lanes.room());
    this.#orphans = this.#makers.orphans(this.#budget, (event) => void this.events.push(event));
    this.lane = this.#newLane();
    let first: Lane | undefined = this.lane;
    this.lanes = new Lanes(
      () => {
        this.lane = first ?? this.#newLane();
        first = undefined;
        return this.lane;
      },
      this.#budget,
      this.#orphans,
    );
  }

  /** Starts the lane, once. */
  start(): void {
    this.#started ??= (this.#options.lateDeath === true ? Promise.resolve() : this.fillOrphans()).then(() => this.lanes.assign([0]));
  }

  /** Adds the batches of dead incarnations on the disk to the orphans. */
  async fillOrphans(): Promise<void> {
    await this.#orphans.fill(this.#spool);
  }

  /** The group gives the partition to another member and then back. */
  async reassign(): Promise<void> {
    await this.lose();
    this.lanes.assign([0]);
  }

  /** The group gives the partition to another member and never back. */
  async lose(): Promise<void> {
    await this.#started;
    const stopped = this.lane.stop('the group gave the partition to another member');
    this.lanes.assign([]);
    await stopped;
  }

  /** Looks for batches of dead writers. Publishes recorded batches that only its disk has, for a partition that another writer has. */
  async publishRecorded(): Promise<void> {
    await this.fillOrphans();
    await this.lanes.publishOrphans(
      async (_partition, batch) => await publishRecorded(this.#newPipeline(), batch, new AbortController().signal),
    );
  }

  /** Fires every timer that is set. */
  flush(): void {
    const due = [...this.#timers.values()];
    this.#timers.clear();
    for (const run of due) run();
  }

  #newLane(): Lane {
    return new Lane(0, {
      steps: this.#newPipeline(),
      window: this.#makers.window(this.#options.dedupOffsets ?? 1000),
      spool: this.#spool,
      orphans: this.#orphans,
      budget: this.#budget,
      clock: this.#clock(),
      newId: () => this.#makers.batchId(this.#world.nextId(), this.lane.position),
      settings: { flushBytes: this.#options.flushBytes ?? Number.MAX_SAFE_INTEGER, flushAgeMs: 1000 },
    });
  }

  #newPipeline(): BatchSteps {
    const { life, disk, log } = this;
    const world = this.#world;
    const store = new SimulatedStore(world.bucket, life);
    const registrar = new Registrar(
      {
        register: async (values) =>
          await life.effect(`register ${values.join(' ')}`, () => values.forEach((value) => world.registered.add(value))),
        partitions: async () => [...world.registered].map((value) => ({ value })),
      },
      { wait: async () => await tick() },
      () => undefined,
    );
    return this.#makers.steps({
      lane: simulatedLane,
      context: { stream: purchases, lane: simulatedLane, writer: 'writer', cluster: world.topic.cluster },
      check,
      store,
      ledger: this.#makers.ledger(store, simulatedLane),
      encoder: new LineEncoder(life, disk),
      log,
      registrar,
      snapshots: new WindowSnapshots({
        store,
        lane: simulatedLane,
        ...(this.#options.entriesPerSnapshot === undefined ? {} : { every: this.#options.entriesPerSnapshot }),
      }),
      checkpoints:
        this.#options.entriesPerCheckpoint === undefined
          ? { landed: () => undefined }
          : new Checkpointer({ store, lane: simulatedLane, every: this.#options.entriesPerCheckpoint }),
      // A dead process never returns from its wait; a living one retries in the next turn.
      patience: { wait: async () => await (life.alive ? tick() : new Promise<never>(() => undefined)) },
      observe: (event) => void this.events.push(event),
    });
  }

  #clock(): Clock {
    return {
      now: () => this.#world.now,
      setTimeout: (run) => {
        this.#handles += 1;
        this.#timers.set(this.#handles, run);
        return this.#handles;
      },
      clearTimeout: (handle) => void this.#timers.delete(handle as number),
    };
  }
}
