import { parseArgs } from 'node:util';
import { wholeNumberOption } from '../whole-number-option.ts';

interface Report {
  readonly schedules: number;
  readonly seed: number;
  readonly failure?: { readonly seed: number; readonly schedule: unknown; readonly reason: string };
  readonly foundOut: Readonly<Record<string, number | undefined>>;
}

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const schedules = wholeNumberOption('schedules', values.schedules, 1, 10_000_000);
const seed = wholeNumberOption('seed', values.seed, 0, 1_000_000_000);

// The model is made of the sink's own lanes and lies beside them.
const model = new URL('../../../apps/sink/dist/simulation/check-model.js', import.meta.url);
const { checkModel } = (await import(model.href)) as {
  checkModel: (count: number, seed: number, tell: (line: string) => void) => Promise<Report>;
};

const started = performance.now();
const report = await checkModel(schedules, seed, (line) => process.stderr.write(`${line}\n`));
const seconds = (performance.now() - started) / 1000;
const missed = Object.entries(report.foundOut).filter(([, found]) => found === undefined);

if (values.json) process.stdout.write(`${JSON.stringify({ ...report, seconds })}\n`);
else if (report.failure === undefined)
  process.stdout.write(
    `${report.schedules} schedules hold (seed ${seed}, ${seconds.toFixed(0)} s); ${Object.keys(report.foundOut).length - missed.length} of ${Object.keys(report.foundOut).length} rules left out were found out.\n`,
  );
else
  process.stdout.write(
    `A schedule of seed ${report.failure.seed} does not hold: ${report.failure.reason}\n${JSON.stringify(report.failure.schedule)}\n`,
  );
process.exitCode = report.failure === undefined && missed.length === 0 ? 0 : 1;
