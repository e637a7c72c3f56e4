import { parseArgs } from 'node:util';
import { stopDuringAttacks } from '../chaos/stops/stop-during-attacks.ts';
import { attackNames, type AttackPlan } from '../chaos/experiment/experiment-schema.ts';

// Stops the runner of an experiment in the middle of each attack, by Ctrl-C and by SIGKILL.
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? attackNames;
const unknown = wanted.find((name) => !attackNames.some((one) => one === name));
if (unknown !== undefined) throw new Error(`There is no attack "${unknown}": ${attackNames.join(', ')}.`);

const stops = await stopDuringAttacks(wanted as AttackPlan['attack'][], (line) => process.stderr.write(`${line}\n`));
const passed = stops.every(({ left }) => left.length === 0);
process.stdout.write(
  [
    ...stops.map(({ attack, signal, backMs, left }) =>
      left.length === 0
        ? `  ✓ ${attack}, ${signal}: everything was as before after ${(backMs / 1000).toFixed(1)} s`
        : `  ✗ ${attack}, ${signal}: ${left.join(', ')} after a minute`,
    ),
    passed ? 'Passed.' : 'Failed: an attack left something behind.',
    '',
  ].join('\n'),
);
// Idle connections to Kafka must not keep the command from its end.
process.exit(passed ? 0 : 1);
