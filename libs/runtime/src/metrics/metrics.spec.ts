import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  it('exist once for each name, for every caller', async () => {
    const metrics = new Metrics('shop');
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    expect(await metrics.text()).toContain('millrace_things_total{service="shop"} 2');
  });

  it('are named by the rule', () => {
    const metrics = new Metrics('shop');
    expect(() => metrics.counter({ name: 'millrace_things', help: '' })).toThrow('must end with _total');
    expect(() => metrics.gauge({ name: 'things', help: '' })).toThrow('must start with millrace_');
  });
});
