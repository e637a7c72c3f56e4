import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComparedValue, ExperimentList, ExperimentView } from '@millrace/contracts';
import type { Judged } from '../../load/measure/threshold.ts';
import type { KeptResult } from '../chaos-page.ts';
import { readExperiment } from '../experiment/read-experiment.ts';

/** The experiments of the catalogue with their last kept results. @param root folder of the repository */
export async function experimentViews(root: string): Promise<ExperimentList> {
  const kept = join(root, 'docs', 'chaos-results.json');
  const results = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as KeptResult[]) : [];
  const files = readdirSync(join(root, 'chaos')).filter((file) => file.endsWith('.yaml'));
  const experiments = await Promise.all(
    files.map(async (file): Promise<ExperimentView> => {
      const { title, hypothesis, method, expected } = await readExperiment(join(root, 'chaos', file));
      const result = results.find((one) => one.file === file);
      return {
        file,
        title,
        hypothesis: hypothesis.statement,
        attacks: method.map(({ attack, target, seconds }) => ({ attack, target, seconds })),
        expected,
        ...(result === undefined ? {} : { result: resultView(result) }),
      };
    }),
  );
  return { experiments };
}

function resultView({
  at,
  verdict = 'aborted',
  reason = 'no reason is known',
  attacks,
  judged,
}: KeptResult): ExperimentView['result'] & object {
  return { at, verdict, reason, proofs: attacks.map(({ proof }) => proof), values: comparedValues(judged) };
}

/** Judged values with both groups beside each other. A name is that of the phase, the group if it is of one, and the probe. */
export function comparedValues(judged: readonly Judged[]): ComparedValue[] {
  const rows = new Map<string, ComparedValue>();
  for (const { name, value, limit, met } of judged) {
    const [, phase = '', group = 'experiment', probe = name] = /^(\w+)(?:, (control|experiment))?: (.+)$/.exec(name) ?? [];
    const before = rows.get(`${phase} ${probe}`);
    rows.set(`${phase} ${probe}`, {
      phase,
      probe,
      ...before,
      ...(value === undefined ? {} : { [group]: value }),
      limit: before === undefined || before.limit === limit ? limit : `control ${before.limit}; ${group} ${limit}`,
      met: met && before?.met !== false,
    });
  }
  return [...rows.values()];
}
