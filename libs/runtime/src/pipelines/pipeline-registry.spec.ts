import { describe, expect, it } from 'vitest';
import { PipelineRegistry } from './pipeline-registry.ts';
import { FedPipeline } from './testing/fed-pipeline.ts';

const named = (name: string): FedPipeline['pipeline'] => new FedPipeline(name).pipeline;

describe('the pipeline registry', () => {
  it('gives pipelines back by name, in order', () => {
    const registry = new PipelineRegistry();
    const s3 = registry.register(named('s3'));
    const kafka = registry.register(named('kafka'));
    expect(registry.get('s3')).toBe(s3);
    expect(registry.list()).toEqual([kafka, s3]);
  });

  it('refuses a second pipeline of one name and names what there is when asked for another', () => {
    const registry = new PipelineRegistry();
    registry.register(named('s3'));
    expect(() => registry.register(named('s3'))).toThrow('registered already');
    expect(() => registry.get('redis')).toThrow('there are s3');
    expect(registry.find('redis')).toBeUndefined();
  });

  it('tells observers of every pipeline once, whichever came first', () => {
    const registry = new PipelineRegistry();
    const seen: string[] = [];
    registry.register(named('s3'));
    registry.observe(({ name }) => seen.push(name));
    registry.register(named('kafka'));
    expect(seen).toEqual(['s3', 'kafka']);
  });
});
