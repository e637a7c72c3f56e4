import { purchases } from '@millrace/contracts';
import {
  commitPrefix,
  dataKey,
  entryBytes,
  entryKey,
  isLakeError,
  Projection,
  type LaneId,
  type LedgerEntry,
  type ObjectStore,
  type PointerCatalog,
  type Round,
} from '@millrace/lake';
import { Incarnation } from '../../simulation/parts/incarnation.ts';
import { ModelFault } from '../../simulation/verdict/model-fault.ts';
import { SimulatedBucket, SimulatedStore, type WriteFault } from '../../simulation/parts/simulated-store.ts';
import { tick } from '../../simulation/parts/tick.ts';
import { PacedStore } from './paced-store.ts';
import { ProjectionInvariants, simulatedBucket } from './projection-invariants.ts';
import type { ProjectionSchedule, Step } from './projection-schedule.ts';
import { SharedPointer, SimulatedCatalog } from './simulated-catalog.ts';

/** Makes the parts of a projector; a broken rule replaces one of them. */
export interface ProjectorMakers {
  readonly store: (store: ObjectStore, bucket: SimulatedBucket) => ObjectStore;
  readonly catalog: (pointer: SharedPointer, life: Incarnation, pause: () => Promise<void>) => PointerCatalog;
}

/** The projector as it is. */
export const soundProjector: ProjectorMakers = {
  store: (store) => store,
  catalog: (pointer, life, pause) => new SimulatedCatalog(pointer, life, pause),
};

interface Machine {
  readonly life: Incarnation;
  readonly projection: Projection;
  round: Promise<Round | Error> | undefined;
}

// Turns within which a round ends once the faults have stopped.
const turnsPerRound = 3000;

/** What happened in a run. A model whose projectors never meet proves nothing. */
export interface Tally {
  readonly commits: number;
  /** Commits refused because another projector made them first. */
  readonly lost: number;
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
  readonly #invariants = new ProjectionInvariants(this.#bucket, this.#pointer, purchases.table);
  readonly #entries: [LedgerEntry[], LedgerEntry[]] = [[], []];
  readonly #machines: Machine[];
  #calls = 0;
  #lost = 0;
  #ids = 0;
  #foreign = false;

  constructor(schedule: ProjectionSchedule, makers: ProjectorMakers) {
    this.#schedule = schedule;
    this.#makers = makers;
    this.#machines = [this.#machine(), this.#machine()];
  }

  get tally(): Tally {
    return { commits: this.#invariants.commits().length, lost: this.#lost };
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
        this.#begin(this.#machines[step.who]!);
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
      case 'commit-fault': {
        let fault: WriteFault | undefined = step.fault;
        this.#bucket.plan = (_n, key) => {
          if (!key.startsWith(commitPrefix(purchases.table))) return undefined;
          const now = fault;
          fault = undefined;
          return now;
        };
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

  async check(): Promise<void> {
    await this.#invariants.check(this.#entries);
  }

  async end(): Promise<void> {
    this.#bucket.plan = () => undefined;
    this.#bucket.reads.length = 0;
    this.#pointer.faults.length = 0;
    while (this.#bucket.delayed.length > 0) this.#bucket.applyDelayed();
    for (const apply of this.#pointer.delayed.splice(0)) apply();
    for (const machine of this.#machines) await this.#finish(machine);
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
    const head = this.#invariants.commits().at(-1);
    for (const [partition, chain] of this.#entries.entries()) {
      if ((head?.position[partition]?.to ?? 0) !== (chain.at(-1)?.to ?? 0))
        throw new ModelFault(`partition ${partition} is not at its end`);
    }
    if (head !== undefined && this.#pointer.location !== `s3://${simulatedBucket}/${head.metadata}`)
      throw new ModelFault('the pointer does not name the newest commit');
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
    const pause = async (): Promise<void> => {
      const { paces } = this.#schedule;
      for (let turns = paces[this.#calls++ % paces.length]!; turns > 0; turns -= 1) await tick();
      await life.goesOn();
    };
    const projection = new Projection({
      store: this.#makers.store(new PacedStore(new SimulatedStore(this.#bucket, life), pause), this.#bucket),
      bucket: simulatedBucket,
      stream: purchases,
      catalog: this.#makers.catalog(this.#pointer, life, pause),
      writer: 'model',
      filesPerLaneMax: this.#schedule.filesPerLaneMax,
      now: () => 1_700_000_000_000 + this.#calls,
      newId: () => `${(this.#ids += 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
      rowsOf: async () => 0,
      onPointerFailure: () => undefined,
    });
    return { life, projection, round: undefined };
  }

  #begin(machine: Machine): void {
    machine.round ??= machine.projection
      .round()
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
      .then((round) => {
        machine.round = undefined;
        if (!(round instanceof Error) && round.outcome === 'lost') this.#lost += 1;
        return round;
      });
  }

  async #finish(machine: Machine): Promise<Round | Error | undefined> {
    const { round } = machine;
    if (round === undefined) return undefined;
    const ended: { value?: Round | Error } = {};
    void round.then((value) => (ended.value = value));
    for (let turn = 0; turn < turnsPerRound && ended.value === undefined; turn += 1) await tick();
    if (ended.value === undefined) throw new ModelFault('a round did not end');
    return ended.value;
  }
}
