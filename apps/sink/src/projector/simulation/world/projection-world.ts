import { purchases } from '@millrace/contracts';
import {
  commitMaxOf,
  commitPrefix,
  Compaction,
  compactedPrefix,
  dataKey,
  defaultCompaction,
  entryBytes,
  entryKey,
  isLakeError,
  metadataPrefix,
  Projection,
  Sweep,
  type LaneId,
  type LedgerEntry,
  type ObjectStore,
  type PointerCatalog,
  type Pass,
  type Rebuilt,
  type Rewriter,
  type Round,
  type Swept,
  type TableAccess,
} from '@millrace/lake';
import { Incarnation } from '../../../simulation/parts/incarnation.ts';
import { ModelFault } from '../../../simulation/verdict/model-fault.ts';
import { SimulatedBucket, SimulatedStore, type WriteFault } from '../../../simulation/parts/simulated-store.ts';
import { tick } from '../../../simulation/parts/tick.ts';
import { PacedStore } from '../parts/paced-store.ts';
import { ProjectionInvariants, simulatedBucket } from '../verdict/projection-invariants.ts';
import type { ProjectionSchedule, Step } from '../parts/projection-schedule.ts';
import { SimulatedRewriter } from '../parts/simulated-rewriter.ts';
import { SharedPointer, SimulatedCatalog } from '../parts/simulated-catalog.ts';

/** Makes the parts of a projector; a broken rule replaces one of them. */
export interface ProjectorMakers {
  readonly store: (store: ObjectStore, bucket: SimulatedBucket) => ObjectStore;
  readonly catalog: (pointer: SharedPointer, life: Incarnation, pause: () => Promise<void>) => PointerCatalog;
  readonly rewriter: (store: ObjectStore) => Rewriter;
  /** The commits as compaction and the sweep see them. */
  readonly compacting: (table: TableAccess) => TableAccess;
  readonly sweeping: (table: TableAccess) => TableAccess;
  readonly graceMs: number;
}

/** Duration of the longest query. */
const readingMs = 1000;

/** Longer by the time in which the world does not look at its readers. */
const soundGraceMs = readingMs + 1000;

/** The projector as it is. */
export const soundProjector: ProjectorMakers = {
  store: (store) => store,
  catalog: (pointer, life, pause) => new SimulatedCatalog(pointer, life, pause),
  rewriter: (store) => new SimulatedRewriter(store),
  compacting: (table) => table,
  sweeping: (table) => table,
  graceMs: soundGraceMs,
};

interface Machine {
  readonly life: Incarnation;
  /** Calls after which it freezes; infinite for one that does not. */
  readonly freezing: { callsLeft: number };
  readonly projection: Projection;
  readonly compaction: Compaction;
  readonly sweep: Sweep;
  /** Work in progress. */
  round: Promise<Round | Error> | undefined;
  pass: Promise<Pass | Error> | undefined;
  swept: Promise<Swept | Error> | undefined;
  rebuilt: Promise<Rebuilt | Error> | undefined;
}

// Turns within which a round ends once the faults have stopped.
const turnsPerRound = 3000;

/** The events of a run, counted. A model whose projectors never meet proves nothing. */
export interface Tally {
  readonly commits: number;
  /** Commits refused because another projector made them first. */
  readonly lost: number;
  /** Merges that were committed, and those that another projector made first. */
  readonly merges: number;
  readonly abandoned: number;
  readonly deleted: number;
  /** Tables that were made anew. */
  readonly rebuilds: number;
}

/**
 * Runs a schedule, and checks the rules after every step. When the faults stop, both projectors must reach the end of the ledger.
 *
 * @throws ModelFault naming the violated rule
 */
export async function runProjection(schedule: ProjectionSchedule, makers: ProjectorMakers): Promise<Tally> {
  const world = new ProjectionWorld(schedule, makers);
  try {
    for (const step of schedule.steps) {
      await world.do(step);
      await world.check();
    }
    await world.end();
    return world.tally;
  } finally {
    world.stop();
  }
}

class ProjectionWorld {
  readonly #bucket = new SimulatedBucket();
  readonly #pointer = new SharedPointer();
  readonly #schedule: ProjectionSchedule;
  readonly #makers: ProjectorMakers;
  readonly #invariants = new ProjectionInvariants(this.#bucket, this.#pointer, purchases.table, readingMs, () => this.#now());
  readonly #entries: [LedgerEntry[], LedgerEntry[]] = [[], []];
  readonly #machines: Machine[];
  #calls = 0;
  #lost = 0;
  #agedMs = 0;
  readonly #work = { merges: 0, abandoned: 0, deleted: 0, rebuilds: 0 };
  #ids = 0;
  #foreign = false;

  constructor(schedule: ProjectionSchedule, makers: ProjectorMakers) {
    this.#schedule = schedule;
    this.#makers = makers;
    this.#machines = [this.#machine(), this.#machine()];
  }

  get tally(): Tally {
    return { commits: this.#invariants.commits().length, lost: this.#lost, ...this.#work };
  }

  #now(): number {
    return 1_700_000_000_000 + this.#calls + this.#agedMs;
  }

  async do(step: Step): Promise<void> {
    switch (step.do) {
      case 'record':
        this.#record(step.lane, step.days);
        break;
      case 'publish':
        this.#publish(step.lane);
        break;
      case 'round':
        for (const machine of this.#chosen(step.who)) this.#begin(machine);
        break;
      case 'compact':
        for (const machine of this.#chosen(step.who)) this.#compact(machine);
        break;
      case 'sweep':
        this.#sweep(this.#machines[step.who]!);
        break;
      case 'rebuild':
        this.#rebuild(this.#machines[step.who]!);
        break;
      case 'freeze':
        await this.#freeze(step);
        break;
      case 'age':
        // Readers that begin now are known before they age.
        await this.check();
        this.#agedMs += step.ms;
        break;
      case 'wait':
        for (let turn = 0; turn < step.turns; turn += 1) {
          await tick();
          if (turn % 8 === 0) await this.check();
        }
        break;
      case 'crash': {
        const dying = this.#machines[step.who]!;
        dying.life.dieAfter(step.after);
        this.#begin(dying);
        if (step.after % 3 === 1) this.#compact(dying);
        if (step.after % 3 === 2) this.#sweep(dying);
        for (let turn = 0; turn < 200 && dying.life.alive && dying.round !== undefined; turn += 1) await tick();
        dying.life.kill();
        this.#machines[step.who] = this.#machine();
        break;
      }
      case 'fault': {
        const from = this.#bucket.writes;
        this.#bucket.plan = (n) => (n < from + step.writes ? step.fault : undefined);
        break;
      }
      case 'commit-fault':
        this.#failCommit(step.fault);
        break;
      case 'late-merge': {
        const late = this.#machines[step.who]!;
        await this.#finishAll(late);
        this.#failCommit('applied-later');
        this.#compact(late);
        await this.#finishAll(late);
        this.#bucket.applyDelayed(this.#bucket.delayed.length - 1);
        break;
      }
      case 'read-faults':
        this.#bucket.reads.push(...step.faults);
        break;
      case 'pointer-faults':
        this.#pointer.faults.push(...step.faults);
        break;
      case 'arrive':
        this.#bucket.applyDelayed(step.which);
        break;
      case 'pointer-arrive':
        this.#pointer.delayed.shift()?.();
        break;
      case 'foreign':
        // A foreign writer changes the table that it finds.
        if (this.#pointer.location === undefined) break;
        this.#foreign = true;
        this.#pointer.location = `${this.#pointer.location.replace(/[^/]*$/, '')}00000-foreign.metadata.json`;
        this.#pointer.version += 1;
        this.#invariants.markForeign(this.#pointer.location);
        break;
    }
  }

  /** The next PUT of a commit fails. */
  #failCommit(fault: WriteFault): void {
    let next: WriteFault | undefined = fault;
    this.#bucket.plan = (_n, key) => {
      if (!key.startsWith(commitPrefix(purchases.table))) return undefined;
      const now = next;
      next = undefined;
      return now;
    };
  }

  async #freeze({ who, work, after, commits }: Extract<Step, { do: 'freeze' }>): Promise<void> {
    const [frozen, other] = [this.#machines[who]!, this.#machines[1 - who]!];
    frozen.freezing.callsLeft = after;
    if (work === 'round') this.#begin(frozen);
    else this.#compact(frozen);
    for (let turn = 0; turn < 200 && frozen.freezing.callsLeft > 0; turn += 1) await tick();
    for (let n = 0; n < commits; n += 1) {
      this.#record(0, 1);
      this.#publish(0);
      this.#begin(other);
      await this.#finish(other);
      await this.check();
    }
    for (let sweeps = 0; sweeps < 2; sweeps += 1) {
      this.#sweep(other);
      await this.#finish(other, 'swept');
      await this.check();
      this.#agedMs += 3 * readingMs;
    }
    frozen.freezing.callsLeft = Infinity;
  }

  /** One projector, or both. */
  #chosen(who: number): readonly Machine[] {
    return who === 2 ? this.#machines : [this.#machines[who]!];
  }

  async check(): Promise<void> {
    await this.#invariants.check(this.#entries);
  }

  async end(): Promise<void> {
    this.#bucket.plan = () => undefined;
    this.#bucket.reads.length = 0;
    this.#pointer.faults.length = 0;
    while (this.#bucket.delayed.length > 0) this.#bucket.applyDelayed();
    for (const apply of this.#pointer.delayed.splice(0)) apply();
    for (const machine of this.#machines) await this.#finishAll(machine);
    await this.check();
    if (this.#foreign) return await this.#endForeign();
    this.#publish(0);
    this.#publish(1);
    for (const machine of [...this.#machines, ...this.#machines]) {
      for (let round: Round | Error | undefined; round === undefined || (!(round instanceof Error) && round.outcome !== 'idle');) {
        this.#begin(machine);
        round = await this.#finish(machine);
        if (round instanceof Error) throw new Error(`a round failed without a fault: ${round.message}`, { cause: round });
      }
      await this.check();
    }
    const appended = this.#invariants.commits().at(-1);
    for (const [partition, chain] of this.#entries.entries()) {
      if ((appended?.position[partition]?.to ?? 0) !== (chain.at(-1)?.to ?? 0))
        throw new ModelFault(`partition ${partition} is not at its end`);
    }
    for (const machine of this.#machines) await this.#upkeep(machine);
    this.#checkLeftovers();
    const head = this.#invariants.commits().at(-1);
    if (head !== undefined && this.#pointer.location !== `s3://${simulatedBucket}/${head.metadata}`)
      throw new ModelFault('the pointer does not name the newest commit');
  }

  /** Merges what can be merged, and deletes everything that nothing needs. */
  async #upkeep(machine: Machine): Promise<void> {
    for (let passes = 0; ; passes += 1) {
      this.#compact(machine);
      const pass = await this.#finish(machine, 'pass');
      if (pass instanceof Error) throw new Error(`a pass failed without a fault: ${pass.message}`, { cause: pass });
      await this.check();
      if (pass!.outcome === 'idle') break;
      if (passes > 100) throw new ModelFault('compaction does not end');
    }
    for (let sweeps = 0; sweeps < 4; sweeps += 1) {
      this.#agedMs += 4 * readingMs;
      this.#sweep(machine);
      const swept = await this.#finish(machine, 'swept');
      if (swept instanceof Error) throw new Error(`a sweep failed without a fault: ${swept.message}`, { cause: swept });
      await this.check();
    }
  }

  /** Old snapshots are gone, and with them the objects that only they used. */
  #checkLeftovers(): void {
    const head = this.#invariants.commits().at(-1);
    if (head === undefined) return;
    for (const [prefix, most] of [
      [metadataPrefix(purchases.table), 40],
      [compactedPrefix(purchases.table), head.files],
    ] as const) {
      const deletable = this.#bucket.keys(prefix).filter((key) => (commitMaxOf(purchases.table, key) ?? Infinity) <= head.n);
      if (deletable.length > most) throw new ModelFault(`${deletable.length} objects under ${prefix} were not deleted`);
    }
  }

  stop(): void {
    for (const { life } of this.#machines) life.kill();
  }

  /** After a foreign commit every round ends with the error that names it, and commits nothing. */
  async #endForeign(): Promise<void> {
    const commits = this.#invariants.commits().length;
    for (const machine of this.#machines) {
      this.#begin(machine);
      const round = await this.#finish(machine);
      if (!isLakeError(round, 'foreign-commit')) throw new ModelFault('a round after a foreign commit did not refuse');
    }
    if (this.#invariants.commits().length !== commits) throw new ModelFault('a projector committed after a foreign commit');
    await this.check();
  }

  #record(partition: number, days: number): void {
    const chain = this.#entries[partition as 0 | 1];
    const head = chain.at(-1);
    // Land before extend.
    this.#publish(partition);
    const lane: LaneId = { table: purchases.table, topic: purchases.topic.name, partition };
    const from = head?.to ?? 0;
    const to = from + Math.max(1, days);
    const id = `b${partition}-${from}`;
    const files = Array.from({ length: days }, (_, day): LedgerEntry['files'][number] => ({
      key: dataKey(lane, purchases.partitionKey, `2026-01-0${day + 1}`, { id, from, to }),
      staged: `_staging/${id}/${day}`,
      dt: `2026-01-0${day + 1}`,
      rows: 1,
      bytes: 10,
      sha256: '0'.repeat(64),
      minTimestamp: 1_700_000_000,
      maxTimestamp: 1_700_000_000,
    }));
    const kind = days === 0 ? 'gap' : 'batch';
    const shared = { dropped: [], rejected: [], absent: [], topic: { cluster: 'c' }, writer: 'w', contract: 'x/1' };
    const entry: LedgerEntry = { v: 1, id, prev: head?.id ?? null, kind, from, to, files, ...shared };
    chain.push(entry);
    this.#bucket.set(entryKey(lane, from), entryBytes(entry));
  }

  #publish(partition: number): void {
    for (const { key } of this.#entries[partition as 0 | 1].at(-1)?.files ?? []) this.#bucket.set(key, new Uint8Array(10));
  }

  #machine(): Machine {
    const life = new Incarnation();
    const freezing = { callsLeft: Infinity };
    const pause = async (): Promise<void> => {
      const { paces } = this.#schedule;
      for (let turns = paces[this.#calls++ % paces.length]!; turns > 0; turns -= 1) await tick();
      freezing.callsLeft -= 1;
      while (freezing.callsLeft <= 0 && life.alive) await tick();
      await life.goesOn();
    };
    const store = this.#makers.store(new PacedStore(new SimulatedStore(this.#bucket, life), pause), this.#bucket);
    const projection = new Projection({
      store,
      retention: { snapshotsMax: 4, ageMs: 500 },
      bucket: simulatedBucket,
      stream: purchases,
      catalog: this.#makers.catalog(this.#pointer, life, pause),
      writer: 'model',
      filesPerLaneMax: this.#schedule.filesPerLaneMax,
      now: () => this.#now(),
      newId: () => `${(this.#ids += 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
      rowsOf: async () => 0,
      onPointerFailure: () => undefined,
    });
    const { rewriter, compacting, sweeping, graceMs } = this.#makers;
    return {
      life,
      freezing,
      projection,
      compaction: new Compaction(compacting(projection.table), rewriter(store), {
        limits: { ...defaultCompaction, filesMin: 2 },
        commitsMax: 2,
      }),
      sweep: new Sweep(sweeping(projection.table), { graceMs }),
      round: undefined,
      pass: undefined,
      swept: undefined,
      rebuilt: undefined,
    };
  }

  #compact(machine: Machine): void {
    machine.pass ??= settled(machine.compaction.pass()).then((pass) => {
      machine.pass = undefined;
      if (!(pass instanceof Error) && pass.outcome === 'committed') this.#work.merges += 1;
      if (!(pass instanceof Error) && pass.outcome === 'abandoned') this.#work.abandoned += 1;
      return pass;
    });
  }

  #sweep(machine: Machine): void {
    machine.swept ??= settled(machine.sweep.run()).then((swept) => {
      machine.swept = undefined;
      if (!(swept instanceof Error)) this.#work.deleted += swept.deleted;
      return swept;
    });
  }

  #rebuild(machine: Machine): void {
    machine.rebuilt ??= settled(machine.projection.rebuild()).then((rebuilt) => {
      machine.rebuilt = undefined;
      if (!(rebuilt instanceof Error)) this.#work.rebuilds += 1;
      return rebuilt;
    });
  }

  #begin(machine: Machine): void {
    machine.round ??= settled(machine.projection.round()).then((round) => {
      machine.round = undefined;
      if (!(round instanceof Error) && round.outcome === 'lost') this.#lost += 1;
      return round;
    });
  }

  async #finishAll(machine: Machine): Promise<void> {
    await this.#finish(machine);
    await this.#finish(machine, 'pass');
    await this.#finish(machine, 'swept');
    await this.#finish(machine, 'rebuilt');
  }

  async #finish<K extends 'round' | 'pass' | 'swept' | 'rebuilt' = 'round'>(
    machine: Machine,
    what: K = 'round' as K,
  ): Promise<Awaited<Machine[K]> | undefined> {
    const running = machine[what];
    if (running === undefined) return undefined;
    const ended: { value?: Awaited<Machine[K]> } = {};
    void running.then((value) => (ended.value = value as Awaited<Machine[K]>));
    for (let turn = 0; turn < turnsPerRound && ended.value === undefined; turn += 1) await tick();
    if (ended.value === undefined) throw new ModelFault('a round did not end');
    return ended.value;
  }
}

/** The result, or the error. */
async function settled<T>(running: Promise<T>): Promise<T | Error> {
  try {
    return await running;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
