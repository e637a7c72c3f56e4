import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Effect } from './attacks/attack.ts';
import type { LakeCounts } from '../load/measure/lake-count.ts';
import type { PhaseResult } from '../load/generator/open-load.ts';
import type { Judged } from '../load/measure/threshold.ts';
import type { CircuitChange } from './stage/group-watch.ts';
import type { GroupName } from './stage/group.ts';
import type { Verdict } from './verdict/verdict.ts';

/** A step of an experiment. */
export interface JournalStep {
  /** Milliseconds since the start of the experiment. */
  readonly atMs: number;
  readonly what: string;
}

/** An attack that has ended. */
export interface EndedAttack extends Effect {
  readonly attack: string;
  readonly target: string;
}

/** Record of an experiment. */
export interface JournalRecord {
  readonly title: string;
  readonly file: string;
  /** Start, ISO 8601. */
  readonly at: string;
  readonly conditions: Readonly<Record<string, string | number>>;
  steps: JournalStep[];
  verdict: Verdict | undefined;
  reason: string | undefined;
  expected: string;
  attacks: EndedAttack[];
  judged: Judged[];
  circuits: CircuitChange[];
  /** Requests that each process shed, by group. */
  shed: Partial<Record<GroupName, Readonly<Record<string, number>>>>;
  /** First id of the events of each group. The last twelve digits count up. */
  firstEventId: Partial<Record<GroupName, string>>;
  delivery: Partial<Record<GroupName, LakeCounts>>;
  phases: Partial<Record<GroupName, PhaseResult[]>>;
}

/** Writes the record of an experiment after each step, so that a killed runner leaves one too. */
export class Journal {
  readonly record: JournalRecord;
  readonly #path: string;
  readonly #tell: (line: string) => void;
  readonly #beganMs = performance.now();

  constructor(path: string, about: Pick<JournalRecord, 'title' | 'file' | 'at' | 'conditions' | 'expected'>, tell: (line: string) => void) {
    this.#path = path;
    this.#tell = tell;
    this.record = {
      ...about,
      steps: [],
      verdict: undefined,
      reason: undefined,
      attacks: [],
      judged: [],
      circuits: [],
      shed: {},
      firstEventId: {},
      delivery: {},
      phases: {},
    };
    mkdirSync(dirname(path), { recursive: true });
  }

  /** Milliseconds since the start of the experiment. */
  nowMs(): number {
    return performance.now() - this.#beganMs;
  }

  /** Writes a step. */
  step(what: string): void {
    const atMs = Math.round(this.nowMs());
    this.record.steps.push({ atMs, what });
    this.#tell(`  ${(atMs / 1000).toFixed(1).padStart(6)} s  ${what}`);
    this.write();
  }

  write(): void {
    writeFileSync(this.#path, `${JSON.stringify(this.record, undefined, 1)}\n`);
  }
}
