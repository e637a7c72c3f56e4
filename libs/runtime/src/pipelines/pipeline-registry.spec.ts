import { describe, expect, it } from 'vitest';
import { PipelineRegistry } from './pipeline-registry.ts';
import { FedPipeline } from './testing/fed-pipeline.ts';

const named = (name: string): FedPipeline['pipeline'] => new FedPipeline(name).pipeline;

describe('PipelineRegistry', () => {
  it('the registry lists pipelines in the order of their names', () => {
    const registry = new PipelineRegistry();
    const s3 = registry.register(named('s3'));
    const kafka = registry.register(named('kafka'));
    expect(registry.get('s3')).toBe(s3);
    expect(registry.list()).toEqual([kafka, s3]);
  });

  it('the registry rejects a second pipeline of one name, and an unknown name lists the known ones', () => {
    const registry = new PipelineRegistry();
    registry.register(named('s3'));
    expect(() => registry.register(named('s3'))).toThrow('registered already');
    expect(() => registry.get('redis')).toThrow('Registered pipelines: s3');
    expect(registry.find('redis')).toBeUndefined();
  });

  it('an observer gets every pipeline once, before or after its registration', () => {
    const registry = new PipelineRegistry();
    const seen: string[] = [];
    registry.register(named('s3'));
    registry.observe(({ name }) => seen.push(name));
    registry.register(named('kafka'));
    expect(seen).toEqual(['s3', 'kafka']);
  });
});
