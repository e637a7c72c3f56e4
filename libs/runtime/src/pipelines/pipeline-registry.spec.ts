import { describe, expect, it } from 'vitest';
import { PipelineRegistry } from './pipeline-registry.ts';

describe('the pipeline registry', () => {
  it('gives pipelines back by name, in order', () => {
    const registry = new PipelineRegistry();
    const s3 = registry.register({ name: 's3' });
    const kafka = registry.register({ name: 'kafka' });
    expect(registry.get('s3')).toBe(s3);
    expect(registry.list()).toEqual([kafka, s3]);
  });

  it('refuses a second pipeline of one name and names what there is when asked for another', () => {
    const registry = new PipelineRegistry();
    registry.register({ name: 's3' });
    expect(() => registry.register({ name: 's3' })).toThrow('registered already');
    expect(() => registry.get('redis')).toThrow('there are s3');
  });
});
