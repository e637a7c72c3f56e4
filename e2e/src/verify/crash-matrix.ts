import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCrashMatrix } from '../crash/crash-matrix.ts';
import { faultKinds, type CrashFaultKind } from '../crash/fault-plan.ts';
import { reportText } from '../crash/report.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '56' },
    seed: { type: 'string' },
    round: { type: 'string', default: '42' },
    kinds: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const kindsOf = (text: string): CrashFaultKind[] =>
  text.split(',').map((name) => {
    const kind = faultKinds.find((one) => one === name);
    if (kind === undefined)
      throw new Error(`--kinds takes names of faults, separated by commas: ${faultKinds.join(', ')} (it has "${name}")`);
    return kind;
  });

const report = await runCrashMatrix({
  faults: wholeNumberOption('faults', values.faults, 1, 100_000),
  seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) + 1 : wholeNumberOption('seed', values.seed, 1, 4_294_967_295),
  faultsPerRound: wholeNumberOption('round', values.round, 1, 10_000),
  ...(values.kinds === undefined ? {} : { kinds: kindsOf(values.kinds) }),
  conditions: `${availableParallelism()} cores, Node ${process.versions.node}`,
  tell: (line) => process.stderr.write(`${line}\n`),
});
if (values.out !== undefined) {
  mkdirSync(dirname(resolve(values.out)), { recursive: true });
  writeFileSync(resolve(values.out), `${JSON.stringify(report)}\n`);
}
process.stdout.write(`${values.json ? JSON.stringify(report) : reportText(report)}\n`);
process.exitCode = report.passed ? 0 : 1;
