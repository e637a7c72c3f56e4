import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scaleRules } from './scale-rules.ts';

const rules = readFileSync(new URL('../../../docker/prometheus/rules.yaml', import.meta.url), 'utf8');

it('scaled rules wait, look back and compare seconds by the factor, and keep everything else', () => {
  const text = ['  - alert: Stalled', '    expr: increase(crashes_total[10m]) > 3 or max by (p) (stalled_seconds) > 60', '    for: 1h'].join('\n');
  expect(scaleRules(text, 10)).toBe(['  - alert: Stalled', '    expr: increase(crashes_total[60000ms]) > 3 or max by (p) (stalled_seconds) > 6', '    for: 360000ms'].join('\n'));
});

it('every time of the real rules is scaled, and their words stay', () => {
  const scaled = scaleRules(rules, 10);
  expect(scaled).not.toMatch(/for: \d+[smh]$|\[\d+[smh]\]/m);
  expect([...scaled.matchAll(/_seconds\)? > ([\d.]+)/g)].map(([, seconds]) => seconds)).toEqual(['60', '6', '720']);
  const words = (text: string): string[] => [...text.matchAll(/(?:summary|description|alert): .*/g)].map(([line]) => line);
  expect(words(scaled)).toEqual(words(rules));
});
