import type { LogRecord } from '../log.ts';
import { Invariants } from './invariants.ts';
import type { Makers } from './makers.ts';
import { SimulatedDisk } from './memory-spool.ts';
import { purchaseLine } from './purchase-line.ts';
import type { Schedule, Step } from './schedule.ts';
import { tick } from './tick.ts';
import { World } from './world.ts';
import type { Writer } from './writer.ts';

// Turns within which everything must have landed once the faults have stopped.
const turnsToLand = 600;

/**
 * Runs the sink's own lanes through a schedule, looks at the world after every step, and lets the faults stop in the end.
 *
 * @throws Error naming what does not hold
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
      await this.#land();
    } finally {
      // A writer that does not get further would try for ever, beside all schedules to come.
      for (const writer of this.#writers) writer.life.kill();
    }
  }

  async #do(step: Step): Promise<void> {
    const { topic, bucket } = this.#world;
    switch (step.do) {
      case 'append':
        for (const event of step.events) this.#append(event, this.#recreated ? '1800000000000' : '1700000000000');
        break;
      case 'skip':
        topic.skip(1);
        break;
      case 'fetch':
        void this.#writer(step.who).log.fetch(this.#writer(step.who).lane, step.count);
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
        await this.#crash(step.who, step.after, step.loseDisk);
        break;
      case 'rejoin':
        this.#rejoin(this.#writer(step.who));
        break;
      case 'reassign':
        await Promise.race([this.#writer(step.who).reassign(), this.#turns(5)]);
        break;
      case 'fault': {
        const until = bucket.writes + step.writes;
        bucket.plan = (write) => (write < until ? step.fault : undefined);
        break;
      }
      case 'unreadable':
        bucket.readsToFail = step.reads;
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
    }
  }

  #writer(who: number): Writer {
    return this.#writers[who]!;
  }

  #newWriter(who: number): Writer {
    const writer = this.#world.writer({ flushBytes: this.#schedule.flushBytes[who]!, dedupOffsets: this.#schedule.window, disk: this.#disks[who]!, makers: this.#makers });
    writer.start();
    return writer;
  }

  #append(event: number, timestamp: string): void {
    const value = event === 7 ? 'garbage' : purchaseLine(event);
    const offset = this.#world.topic.append(value, timestamp);
    if (!this.#recreated) this.#log.push(this.#world.topic.records.find((record) => record.offset === offset)!);
  }

  // Not at once: what it is in the middle of may go on for a few effects.
  async #crash(who: number, after: number, loseDisk: boolean): Promise<void> {
    const dead = this.#writer(who);
    dead.life.dieAfter(after);
    for (let turn = 0; turn < 3 && dead.life.alive; turn += 1) await tick();
    dead.life.kill();
    if (loseDisk) this.#disks[who] = new SimulatedDisk();
    this.#writers[who] = this.#newWriter(who);
  }

  #rejoin(writer: Writer): void {
    writer.log.seek(this.#world.topic.low);
    if (writer.lane.state.kind !== 'stopped') writer.lane.rejoin();
  }

  // A client whose topic is gone joins its group again. The first log counts as long as the ledger knows anything of it.
  #recreate(events: readonly number[]): void {
    if (this.#recreated) return;
    this.#recreated = true;
    this.#world.topic.recreate([], '1800000000000');
    for (const event of events) this.#append(event, '1800000000000');
    for (const writer of this.#writers) this.#rejoin(writer);
  }

  async #turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await tick();
  }

  #look(): void {
    if (!this.#recreated) this.#invariants.look(this.#log);
    else this.#invariants.look(this.#world.isOfTheFirstLog() ? this.#log : this.#world.topic.records);
  }

  async #land(): Promise<void> {
    const { topic, bucket } = this.#world;
    bucket.plan = () => undefined;
    bucket.readsToFail = 0;
    while (bucket.delayed.length > 0) {
      bucket.applyDelayed(0);
      this.#look();
    }
    // Offsets without a record at the end are spanned by no batch.
    const end = (topic.records.at(-1)?.offset ?? -1) + 1;
    if (end <= topic.low) return;
    for (let turn = 0; turn < turnsToLand; turn += 1) {
      for (const writer of this.#writers) {
        if (writer.lane.state.kind === 'refused' && this.#recreated) continue;
        if (writer.lane.state.kind === 'refused') throw writer.lane.state.error;
        if (writer.lane.position < end) void writer.log.fetch(writer.lane, 4);
        else writer.flush();
      }
      await tick();
      this.#look();
      if (this.#writers.some((writer) => writer.lane.landed >= end && writer.lane.state.kind === 'running')) return;
      // A lane that stands in a recreated topic refuses, and that is the end of it.
      if (this.#recreated && this.#writers.every((writer) => writer.lane.state.kind === 'refused')) return;
    }
    if (this.#recreated) return;
    const [a, b] = this.#writers.map((writer) => `${writer.lane.state.kind} at ${writer.lane.position}, landed ${writer.lane.landed} [${writer.lane.holds.join(' ')}]`);
    throw new Error(`nothing landed to ${end} within ${turnsToLand} turns: ${a}; ${b}`);
  }
}
