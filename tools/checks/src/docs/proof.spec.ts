import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';

interface Findings {
  readonly count: number;
}

interface Report {
  readonly faults: readonly { readonly hit: boolean }[];
  readonly verdicts: readonly { readonly acknowledged: number; readonly lost: Findings; readonly duplicated: Findings }[];
}

const folder = 'docs/crash-matrix';
const reports = readdirSync(join(repository, folder)).map((file) => JSON.parse(textOf(`${folder}/${file}`)) as Report);
const struck = sum(reports.map(({ faults }) => faults.filter(({ hit }) => hit).length));
const last = reports.map(({ verdicts }) => verdicts.at(-1)!);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** With no violation in n independent trials, the rate p is below this with 95 % confidence: (1 − p)ⁿ = 0.05. */
function upperBoundOf(trials: number): number {
  return 1 - 0.05 ** (1 / trials);
}

describe('upperBoundOf', () => {
  it('upperBoundOf is close to three divided by the number of trials', () => {
    expect(upperBoundOf(300)).toBeCloseTo(3 / 300, 3);
  });
});

describe.each(['README.md', 'docs/crash-matrix.md'])('%s', (page) => {
  const text = textOf(page);

  it('the page states the total number of injected faults of the reports', () => {
    expect(text).toContain(struck.toLocaleString('en-US'));
  });

  it('the page states the bound that follows from that number', () => {
    expect(text).toContain(`${(upperBoundOf(struck) * 100).toFixed(2)} %`);
  });

  it('the page states the number of acknowledged purchases, and no report has a loss or duplicate', () => {
    expect([sum(last.map(({ lost }) => lost.count)), sum(last.map(({ duplicated }) => duplicated.count))]).toEqual([0, 0]);
    expect(text).toContain(sum(last.map(({ acknowledged }) => acknowledged)).toLocaleString('en-US'));
  });
});
