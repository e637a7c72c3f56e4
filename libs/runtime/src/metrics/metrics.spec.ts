import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  it('exist once for each name, for every caller', async () => {
    const metrics = new Metrics('shop');
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    expect(await metrics.text()).toContain('millrace_things_total{service="shop"} 2');
  });

  it('of a part of the process have its labels, and the text has each heading once', async () => {
    const metrics = new Metrics('shop');
    const counter = { name: 'millrace_things_total', help: 'Things.' } as const;
    metrics.counter(counter).inc();
    metrics.part({ stream: 'views' }).counter(counter).inc(2);
    const text = await metrics.text();
    expect(text.split('\n').filter((line) => line.includes('millrace_things_total'))).toEqual([
      '# HELP millrace_things_total Things.',
      '# TYPE millrace_things_total counter',
      'millrace_things_total{service="shop"} 1',
      'millrace_things_total{service="shop",stream="views"} 2',
    ]);
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('that are observed are read at each scrape, and are absent without a value', async () => {
    const metrics = new Metrics('shop');
    let value: number | undefined;
    metrics.observe('millrace_depth', 'Depth.', () => value);
    expect(await metrics.text()).not.toContain('millrace_depth{');
    value = 3;
    expect(await metrics.text()).toContain('millrace_depth{service="shop"} 3');
    value = undefined;
    expect(await metrics.text()).not.toContain('millrace_depth{');
    expect(() => metrics.observe('depth', '', () => 1)).toThrow('must start with millrace_');
  });

  it('are named by the rule', () => {
    const metrics = new Metrics('shop');
    expect(() => metrics.counter({ name: 'millrace_things', help: '' })).toThrow('must end with _total');
    expect(() => metrics.gauge({ name: 'things', help: '' })).toThrow('must start with millrace_');
  });
});
