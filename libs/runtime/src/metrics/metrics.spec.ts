import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

describe('Metrics', () => {
  it('a metric exists once per name and is shared by all callers', async () => {
    const metrics = new Metrics('shop');
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    metrics.counter({ name: 'millrace_things_total', help: 'Things.' }).inc();
    expect(await metrics.text()).toContain('millrace_things_total{service="shop"} 2');
  });

  it('a metric of a part has the labels of the part, and the text has each heading once', async () => {
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

  it('an observed metric is read at each scrape and is absent without a value', async () => {
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

  it('a metric name must follow the naming rules', () => {
    const metrics = new Metrics('shop');
    expect(() => metrics.counter({ name: 'millrace_things', help: '' })).toThrow('must end with _total');
    expect(() => metrics.gauge({ name: 'things', help: '' })).toThrow('must start with millrace_');
  });
});
