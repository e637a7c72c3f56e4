import { isSinkError } from '../errors.ts';
import type { LogRecord } from '../kafka/log.ts';
import { auditedClaim, plantFault, type Claim } from './verdict/audited.ts';
import { Invariants } from './verdict/invariants.ts';
import type { Makers } from './world/makers.ts';
import { SimulatedDisk } from './parts/memory-spool.ts';
import { ModelFault } from './verdict/model-fault.ts';
import { purchaseLine } from './parts/purchase-line.ts';
import type { Schedule, Step } from './schedule.ts';
import { tick } from './parts/tick.ts';
import { World } from './world/world.ts';
import type { Writer } from './world/writer.ts';

// The sink looks every few seconds for recorded batches of partitions that it no longer has.
const turnsPerFinish = 20;

// Turns within which everything must have landed once the faults have stopped.
const turnsToLand = 600;

const firstLogStamp = '1700000000000';
const secondLogStamp = '1800000000000';
// The second log has other events than the first, so that a table with events of both is detected at once.
const secondLogEvents = 100;

/**
 * Runs the sink's own lanes through a schedule, and checks the world after every step. In the end the faults stop. Then everything must
 * land within a bounded number of turns, or be refused if the topic was recreated. The audit must confirm that. Finally the table is
 * damaged by hand, and the audit must detect it.
 *
 * @throws Error naming the violated invariant
 */
export async function runSchedule(schedule: Schedule, makers: Makers): Promise<void> {
  await new Run(schedule, makers).run();
}

class Run {
  readonly #schedule: Schedule;
  readonly #makers: Makers;
  readonly #world = new World();
  readonly #invariants: Invariants;
  readonly #disks = [new SimulatedDisk(), new SimulatedDisk()];
  readonly #writers: Writer[] = [];
  /** The log that counts: as it was written, before retention. */
  readonly #log: LogRecord[] = [];
  #recreated = false;

  constructor(schedule: Schedule, makers: Makers) {
    this.#schedule = schedule;
    this.#makers = makers;
    this.#invariants = new Invariants(this.#world, schedule.window);
    this.#writers.push(this.#newWriter(0), this.#newWriter(1));
  }

  async run(): Promise<void> {
    try {
      for (const step of this.#schedule.steps) {
        await this.#do(step);
        this.#look();
      }
      const landedTo = await this.#land();
      this.#end();
      await this.#auditFindsOut(landedTo);
    } finally {
      this.#end();
    }
  }

  // A stuck writer would retry without end, during all later schedules.
  #end(): void {
    for (const writer of this.#writers) writer.life.kill();
  }

  async #do(step: Step): Promise<void> {
    const { topic, bucket } = this.#world;
    switch (step.do) {
      case 'append':
        for (const event of step.events) this.#append(event);
        break;
      case 'skip':
        topic.skip(1);
        break;
      case 'fetch':
        this.#fetch(this.#writer(step.who), step.count);
        await tick();
        break;
      case 'flush':
        this.#writer(step.who).flush();
        await tick();
        break;
      case 'wait':
        for (let turn = 0; turn < step.turns; turn += 1) {
          await tick();
          this.#look();
        }
        break;
      case 'crash':
        await this.#crash(step.who, step.after, step.loseDisk, step.lateDeath);
        break;
      case 'rejoin':
        this.#rejoin(this.#writer(step.who));
        break;
      case 'reassign':
        await Promise.race([this.#writer(step.who).reassign(), this.#turns(5)]);
        break;
      case 'lose':
        await Promise.race([this.#writer(step.who).lose(), this.#turns(5)]);
        break;
      case 'finish':
        // A later step retries the calls that the store refuses.
        await Promise.race([
          this.#writer(step.who)
            .publishRecorded()
            .catch(() => undefined),
          this.#turns(5),
        ]);
        break;
      case 'fill-disk':
        this.#disks[step.who]!.writesToRefuse = step.writes;
        break;
      case 'sweep':
        this.#disks[step.who]!.sweepOpen();
        break;
      case 'fault': {
        const until = bucket.writes + step.writes;
        bucket.plan = (write) => (write < until ? step.fault : undefined);
        break;
      }
      case 'read-faults':
        bucket.reads.splice(0, bucket.reads.length, ...step.faults);
        break;
      case 'arrive':
        bucket.applyDelayed(step.which);
        break;
      case 'retain':
        topic.low = Math.min(topic.low + step.count, topic.high);
        break;
      case 'recreate':
        this.#recreate(step.events);
        break;
      case 'audit':
        this.#isNotFaulty(await this.#audit(false));
        break;
    }
  }

  #writer(who: number): Writer {
    return this.#writers[who]!;
  }

  #newWriter(who: number, lateDeath = false): Writer {
    const { flushBytes, spoolBytes, window: dedupOffsets, entriesPerCheckpoint } = this.#schedule;
    const writer = this.#world.writer({
      flushBytes: flushBytes[who]!,
      bytesMax: spoolBytes[who]!,
      dedupOffsets,
      entriesPerCheckpoint,
      disk: this.#disks[who]!,
      makers: this.#makers,
      lateDeath,
    });
    writer.start();
    return writer;
  }

  #fetch(writer: Writer, count: number): void {
    void writer.log.fetch(writer.lanes, count);
  }

  #append(event: number): void {
    const value = event === 7 ? 'garbage' : purchaseLine(this.#recreated ? event + secondLogEvents : event);
    const offset = this.#world.topic.append(value, this.#recreated ? secondLogStamp : firstLogStamp);
    if (!this.#recreated) this.#log.push(this.#world.topic.records.find((record) => record.offset === offset)!);
  }

  // Kill the writer with a delay: its current step may continue for a few effects.
  async #crash(who: number, after: number, loseDisk: boolean, lateDeath: boolean): Promise<void> {
    const dead = this.#writer(who);
    dead.life.dieAfter(after);
    for (let turn = 0; turn < 3 && dead.life.alive; turn += 1) await tick();
    dead.life.kill();
    if (loseDisk) this.#disks[who] = new SimulatedDisk();
    this.#writers[who] = this.#newWriter(who, lateDeath);
  }

  #rejoin(writer: Writer): void {
    writer.log.seek(this.#world.topic.low);
    if (writer.lane.state.kind !== 'stopped') writer.lane.rejoin();
  }

  // A client whose topic is gone joins its group again. The first log counts as long as the ledger has an entry of it.
  #recreate(events: readonly number[]): void {
    if (this.#recreated) return;
    this.#recreated = true;
    this.#world.topic.recreate([], secondLogStamp);
    for (const event of events) this.#append(event);
    for (const writer of this.#writers) this.#rejoin(writer);
  }

  async #turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await tick();
  }

  #look(): void {
    this.#invariants.look(this.#logThatCounts);
  }

  get #logThatCounts(): readonly LogRecord[] {
    return !this.#recreated || this.#world.isOfTheFirstLog() ? this.#log : this.#world.topic.records;
  }

  async #land(): Promise<number> {
    const { topic, bucket } = this.#world;
    bucket.plan = () => undefined;
    bucket.reads.length = 0;
    for (const disk of this.#disks) disk.writesToRefuse = 0;
    while (bucket.delayed.length > 0) {
      bucket.applyDelayed(0);
      this.#look();
    }
    for (const writer of this.#writers) if (writer.lane.state.kind === 'stopped') await Promise.race([writer.reassign(), this.#turns(5)]);
    if (this.#recreated) return await this.#landOrRefuse();
    // Offsets without a record at the end are spanned by no batch.
    const end = (topic.records.at(-1)?.offset ?? -1) + 1;
    if (end <= topic.low) return 0;
    await this.#goOnUntil(end, () => {
      for (const { lane } of this.#writers) if (lane.state.kind === 'refused') throw lane.state.error;
      return this.#writers.every((writer) => hasLanded(writer, end));
    });
    return end;
  }

  // A ledger that was written from the first log lets no lane continue in the second. A lane that took records of the first log, none of
  // them recorded, refuses as well until it is started again with an empty disk.
  async #landOrRefuse(): Promise<number> {
    const { topic } = this.#world;
    // The second log grows past the end of the first: a lane needs a record to see that the log is another one.
    const firstEnd = (this.#log.at(-1)?.offset ?? 0) + 1;
    this.#append(0);
    while (topic.high <= firstEnd) this.#append(0);
    const end = topic.high;
    await this.#goOnUntil(end, () => this.#writers.every((writer) => hasLanded(writer, end) || hasRefusedTheLog(writer)));
    for (const [who, writer] of this.#writers.entries()) {
      if (!hasRefusedTheLog(writer)) continue;
      writer.life.kill();
      this.#disks[who] = new SimulatedDisk();
      this.#writers[who] = this.#newWriter(who);
    }
    const mayLand = this.#world.entries().length === 0 || !this.#world.isOfTheFirstLog();
    await this.#goOnUntil(end, () => this.#writers.every((writer) => (mayLand ? hasLanded(writer, end) : hasRefusedTheLog(writer))));
    return mayLand ? end : 0;
  }

  /** @throws Error when it takes too long */
  async #goOnUntil(end: number, isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < turnsToLand; turn += 1) {
      for (const writer of this.#writers) {
        // A lane at the end may still have to read the record before it, to prove the log.
        const { lane, log } = writer;
        if (Math.min(lane.position, log.position) < end && !log.paused) this.#fetch(writer, 4);
        else writer.flush();
        if (turn % turnsPerFinish === 0) void writer.publishRecorded().catch(() => undefined);
      }
      await tick();
      this.#look();
      if (isDone()) return;
    }
    const [a, b] = this.#writers.map(
      ({ lane }) => `${lane.state.kind} at ${lane.position}, landed ${lane.landed} [${lane.holds.join(' ')}]`,
    );
    throw new Error(`the end ${end} was not reached within ${turnsToLand} turns: ${a}; ${b}`);
  }

  async #audit(isQuiet: boolean): Promise<Claim> {
    return await auditedClaim(this.#world, this.#logThatCounts, this.#schedule.window, this.#makers.audit, isQuiet);
  }

  #isNotFaulty({ verdict, fault }: Claim): void {
    if (verdict === 'faulty') throw new ModelFault(`the audit calls an undamaged table faulty: ${fault}`);
  }

  // The audit distinguishes a complete table from a damaged one.
  async #auditFindsOut(landedTo: number): Promise<void> {
    const whole = await this.#audit(true);
    this.#isNotFaulty(whole);
    if (whole.spanned < landedTo) throw new ModelFault(`the audit covers [0, ${whole.spanned}), but [0, ${landedTo}) has landed`);
    const { planted } = this.#schedule;
    // If retention removed the whole log, the head may not have landed, and damage to its files may have no effect yet.
    if (whole.unlanded > 0 || !plantFault(this.#world, planted)) return;
    const damaged = await this.#audit(true);
    // A head with intact staged copies counts as landing, and a deleted head without files leaves no trace. Then the audit covers fewer
    // offsets.
    if (damaged.verdict !== 'faulty' && damaged.spanned >= whole.spanned)
      throw new ModelFault(`the audit calls [0, ${damaged.spanned}) ${damaged.verdict} after this was done to the table: ${planted.what}`);
  }
}

function hasLanded({ lane }: Writer, end: number): boolean {
  return lane.state.kind === 'running' && lane.landed >= end;
}

function hasRefusedTheLog({ lane }: Writer): boolean {
  return lane.state.kind === 'refused' && isSinkError(lane.state.error, 'different-log');
}
