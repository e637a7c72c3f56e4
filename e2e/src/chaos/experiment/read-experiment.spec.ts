import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { attackNames, experimentSchema, type Experiment } from './experiment-schema.ts';
import { checkExperiment, readExperiment } from './read-experiment.ts';

const catalogue = join(import.meta.dirname, '..', '..', '..', '..', 'chaos');
const files = readdirSync(catalogue).filter((file) => file.endsWith('.yaml'));
const example = await readExperiment(join(catalogue, 'kafka-down.yaml'));

describe('the catalogue', () => {
  it.each(files)('the experiment %s can be run', async (file) => {
    await expect(readExperiment(join(catalogue, file))).resolves.toBeDefined();
  });

  it('the catalogue has at least 12 experiments and uses every attack', async () => {
    const experiments = await Promise.all(files.map(async (file) => await readExperiment(join(catalogue, file))));
    expect(experiments.length).toBeGreaterThanOrEqual(12);
    const used = new Set(experiments.flatMap(({ method }) => method.map(({ attack }) => attack)));
    expect(attackNames.filter((name) => !used.has(name))).toEqual([]);
  });

  it('each experiment has its own title', async () => {
    const titles = await Promise.all(files.map(async (file) => (await readExperiment(join(catalogue, file))).title));
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('each planted weakness is one of the settings alone, so that the shipped experiment finds it', async () => {
    const experiments = new Map(
      await Promise.all(files.map(async (file) => [file.replace('.yaml', ''), await readExperiment(join(catalogue, file))] as const)),
    );
    const planted = [...experiments].filter(([name]) => name.startsWith('planted-'));
    expect(planted.map(([name]) => name)).toEqual(
      expect.arrayContaining(['planted-no-breaker', 'planted-no-fsync', 'planted-wide-bulkhead']),
    );
    for (const [name, { 'planted-in': origin = '', ...experiment }] of planted) {
      const found = experiments.get(origin)!;
      expect({ name, ...testedBy(experiment) }).toEqual({ name, ...testedBy(found) });
      expect({ name, expected: experiment.expected, sameSettings: isDeepStrictEqual(experiment.settings, found.settings) }).toEqual({
        name,
        expected: 'deviated',
        sameSettings: false,
      });
    }
  });

  it('the file of the JSON Schema is that of the code (vitest --update writes it)', async () => {
    const text = `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...experimentSchema }, undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(catalogue, 'experiment.schema.json'));
  });
});

/** Everything that decides the verdict, without the settings. */
function testedBy(experiment: Partial<Experiment>): object {
  const { title: _title, description: _description, expected: _expected, settings: _settings, ...rest } = experiment;
  return rest;
}

describe('checkExperiment', () => {
  it.each<[string, object, RegExp]>([
    [
      'an attack outside the blast radius',
      { 'blast-radius': { targets: ['s3'], 'seconds-max': 10 } },
      /refuse on kafka is outside the blast radius/,
    ],
    [
      'an attack that takes too long',
      { 'blast-radius': { targets: ['kafka'], 'seconds-max': 5 } },
      /takes 10 s, and the blast radius allows 5 s/,
    ],
    ['an attack that is longer than its phase', { phases: { ...example.phases, during: 4 } }, /longer than the phase/],
    ['a probe of a stream without load', { load: { batch: 1 } }, /The stream purchase is probed and has no load/],
    ['a word that the schema does not know', { blast: 1 }, /additional properties/],
    ['an unknown attack', { method: [{ attack: 'nuke', target: 'kafka', seconds: 1 }] }, /\/method\/0\/attack must be equal to one of/],
  ])('%s is refused', (_, flaw, message) => {
    expect(() => checkExperiment({ ...example, ...flaw }, 'x.yaml')).toThrow(message);
  });
});
