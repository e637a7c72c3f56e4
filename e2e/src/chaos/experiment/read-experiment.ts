import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { ExperimentError } from '../errors.ts';
import { experimentSchema, type Experiment } from './experiment-schema.ts';

const isExperiment = new Ajv({ allErrors: true, strict: false }).compile<Experiment>(experimentSchema);

/** Reads an experiment. @throws ExperimentError with all its faults */
export async function readExperiment(path: string): Promise<Experiment> {
  return checkExperiment(parse(await readFile(path, 'utf8')), path);
}

/** Checks a parsed experiment against the schema, its blast radius and its phases. @throws ExperimentError with all its faults */
export function checkExperiment(value: unknown, path: string): Experiment {
  if (!isExperiment(value)) {
    const faults = (isExperiment.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath || '/'} ${message}`);
    throw new ExperimentError('invalid', `${path} is not an experiment:\n  ${faults.join('\n  ')}`);
  }
  const { targets, 'seconds-max': secondsMax } = value['blast-radius'];
  const faults = value.method.flatMap(({ attack, target, seconds }) => [
    ...(targets.includes(target) ? [] : [`The attack ${attack} on ${target} is outside the blast radius (${targets.join(', ')}).`]),
    ...(seconds <= secondsMax ? [] : [`The attack ${attack} takes ${seconds} s, and the blast radius allows ${secondsMax} s.`]),
    ...(seconds <= value.phases.during ? [] : [`The attack ${attack} takes ${seconds} s, longer than the phase "during".`]),
  ]);
  const idle = [...value['steady-state'], ...value.hypothesis['no-worse']].filter(({ stream }) => value.load[stream] === undefined);
  for (const { stream } of idle) faults.push(`The stream ${stream} is probed and has no load.`);
  if (faults.length > 0) throw new ExperimentError('invalid', `${path} cannot be run:\n  ${faults.join('\n  ')}`);
  return value;
}
