import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chaosPage, type KeptResult } from './chaos-page.ts';
import { readExperiment } from './experiment/read-experiment.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const kept = join(root, 'docs', 'chaos-results.json');
const results = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as KeptResult[]) : [];
const files = readdirSync(join(root, 'chaos')).filter((file) => file.endsWith('.yaml'));
const catalogue = await Promise.all(
  files.map(async (file) => ({
    file,
    experiment: await readExperiment(join(root, 'chaos', file)),
    result: results.find((one) => one.file === file),
  })),
);

it('docs/chaos.md is generated from the experiments and their kept results (vitest --update writes it)', async () => {
  const intro = readFileSync(join(root, 'chaos', 'README.md'), 'utf8').replaceAll('../docs/', '');
  await expect(chaosPage(catalogue, intro)).toMatchFileSnapshot(join(root, 'docs', 'chaos.md'));
});

it('each kept result has the expected verdict, a proof of its attacks and no lost or doubled event', () => {
  const wrong = results.filter(({ file, verdict, attacks, delivery }) => {
    const expected = catalogue.find((one) => one.file === file)?.experiment.expected;
    // Without fsync a power cut loses events: that is the finding.
    const mayLose = file === 'planted-no-fsync.yaml' ? ['experiment'] : [];
    const unclean = Object.entries(delivery).some(([group, { lost, duplicated }]) => lost + duplicated > 0 && !mayLose.includes(group));
    return verdict !== expected || attacks.length === 0 || attacks.some(({ tookEffect }) => !tookEffect) || unclean;
  });
  expect(wrong.map(({ file }) => file)).toEqual([]);
});
