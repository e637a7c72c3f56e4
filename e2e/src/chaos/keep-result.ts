import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { keptResultOf, type KeptResult } from './chaos-page.ts';
import type { JournalRecord } from './journal.ts';

/** Replaces the kept result of an experiment in a file. `docs/chaos.md` shows it. */
export function keepResult(path: string, record: JournalRecord): void {
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as KeptResult[]) : [];
  const others = kept.filter(({ file }) => file !== record.file);
  const all = [...others, keptResultOf(record)].toSorted((a, b) => (a.file < b.file ? -1 : 1));
  writeFileSync(path, `${JSON.stringify(all, undefined, 1)}\n`);
}
