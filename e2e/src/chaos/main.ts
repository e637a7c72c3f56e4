import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stack } from '../stack.ts';
import { keptResultOf } from './chaos-page.ts';
import { ExperimentError } from './errors.ts';
import { readExperiment } from './experiment/read-experiment.ts';
import type { JournalRecord } from './journal.ts';
import { keepResult } from './keep-result.ts';
import { runExperiment } from './run-experiment.ts';
import { Stage } from './stage/stage.ts';
import { stoppingSignal } from './stopping.ts';
import { exitCodes } from './verdict/verdict.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const [command, file, ...more] = positionals;
const root = join(import.meta.dirname, '..', '..', '..');
const catalogue = join(root, 'chaos');

const stopping = stoppingSignal('the experiment');
const stage = new Stage();
try {
  if (command === 'run' && file !== undefined && more.length === 0) process.exitCode = await runOne(file);
  else if (command === 'all' && file === undefined) process.exitCode = await runAll();
  else
    throw new ExperimentError(
      'invalid',
      'Usage: ./millrace chaos run FILE [--json] [--keep], or ./millrace chaos all [--only NAME,…] [--json] [--keep]',
    );
} catch (error) {
  if (!(error instanceof ExperimentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 3;
} finally {
  await stage.close();
}
// Idle connections to Kafka and S3 must not keep the command from its end.
process.exit();

async function run(path: string): Promise<JournalRecord> {
  const record = await runExperiment(await readExperiment(path), { file: path, stage, signal: stopping, tell });
  // A result of another verdict is a finding to be worked on, not the state of the catalogue.
  if (values.keep && record.verdict === record.expected) keepResult(join(root, 'docs', 'chaos-results.json'), record);
  return record;
}

async function runOne(path: string): Promise<number> {
  const record = await run(path);
  process.stdout.write(values.json ? `${JSON.stringify(record)}\n` : textOf(record));
  return exitCodes[record.verdict!];
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs the catalogue. It passes when each experiment has its expected verdict. */
async function runAll(): Promise<number> {
  const wanted = values.only?.split(',');
  const names = readdirSync(catalogue).flatMap((name) => /^(.*)\.yaml$/.exec(name)?.[1] ?? []);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ExperimentError('invalid', `There is no experiment "${unknown}": ${names.join(', ')}.`);
  const records: JournalRecord[] = [];
  const folder = join(stack.home, 'reports', 'chaos');
  mkdirSync(folder, { recursive: true });
  for (const name of names.filter((one) => wanted === undefined || wanted.includes(one))) {
    if (stopping.aborted) break;
    records.push(await run(join(catalogue, `${name}.yaml`)));
    writeFileSync(join(folder, 'all.json'), `${JSON.stringify(records)}\n`);
  }
  const passed = !stopping.aborted && records.every(({ verdict, expected }) => verdict === expected);
  const lines = records.map(
    ({ file: name, verdict, expected }) => `${verdict === expected ? '✓' : '✗'} ${name}: ${verdict}, expected ${expected}`,
  );
  const text = [
    ...lines,
    passed ? 'Every experiment has its expected verdict.' : 'An experiment has another verdict than expected.',
    '',
  ].join('\n');
  process.stdout.write(values.json ? `${JSON.stringify(records.map(keptResultOf), undefined, 1)}\n` : text);
  return passed ? 0 : 1;
}

function textOf({ title, verdict, reason, judged, attacks, delivery }: JournalRecord): string {
  return [
    title,
    ...attacks.map(({ attack, target, proof }) => `  attack ${attack} on ${target}: ${proof}`),
    ...judged.map(({ name, value, limit, met }) => `  ${met ? '✓' : '✗'} ${name}: ${value ?? 'no samples'} (${limit})`),
    ...Object.entries(delivery).map(
      ([group, { acknowledged, landed, lost, duplicated }]) =>
        `  ${group}: ${acknowledged} events acknowledged, ${landed} in the table, ${lost} lost, ${duplicated} doubled`,
    ),
    `Verdict: ${verdict}. ${reason}`,
    '',
  ].join('\n');
}
