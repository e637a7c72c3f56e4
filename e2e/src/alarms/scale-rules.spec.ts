import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scaleRules } from './scale-rules.ts';

const rules = readFileSync(new URL('../../../docker/prometheus/rules.yaml', import.meta.url), 'utf8');

function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:summary|description|alert): .*/g)].map(([line]) => line);
}

it('scaleRules scales waits, look-back windows and compared seconds by the factor and keeps everything else', () => {
  const text = '    expr: increase(crashes_total[10m]) > 3 or max by (p) (stalled_seconds) > 60\n    for: 1h';
  const scaled = '    expr: increase(crashes_total[60000ms]) > 3 or max by (p) (stalled_seconds) > 6\n    for: 360000ms';
  expect(scaleRules(text, 10)).toBe(scaled);
});

it('every time in the real rules is scaled, and the texts stay unchanged', () => {
  const scaled = scaleRules(rules, 10);
  expect(scaled).not.toMatch(/for: \d+[smh]$|\[\d+[smh]\]/m);
  expect([...scaled.matchAll(/_seconds\)? > ([\d.]+)/g)].map(([, seconds]) => seconds)).toEqual(['60', '60', '180', '6', '720']);
  expect(wordsOf(scaled)).toEqual(wordsOf(rules));
});
