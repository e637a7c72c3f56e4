import type { ErrorClass } from '@millrace/resilience';
import { beforeEach, expect, it } from 'vitest';
import { DependencyErrors, describeError } from './dependency-errors.ts';
import { PipelineRegistry } from './pipeline-registry.ts';
import { FedPipeline } from './testing/fed-pipeline.ts';

let now: number;
let lines: string[];
let pipeline: FedPipeline;
let errors: DependencyErrors;
beforeEach(() => {
  now = 0;
  lines = [];
  pipeline = new FedPipeline('s3-put', { dependency: 's3' });
  const registry = new PipelineRegistry();
  registry.remedyOf = (error) => ((error as Error).message.startsWith('NoSuchBucket') ? 'create the bucket' : undefined);
  errors = new DependencyErrors(registry, { error: (_fields: unknown, message: string) => void lines.push(message) } as never, () => now);
  registry.register(pipeline.pipeline);
});

function fails(message: string, errorClass: ErrorClass): void {
  pipeline.feed({
    type: 'AttemptFinished',
    attempt: 0,
    result: 'failed',
    durationMs: 1,
    slow: false,
    errorClass,
    error: new Error(message),
  });
}

it('the last error of a dependency stays until the dependency answers', () => {
  fails('connection refused', 'transient');
  expect(errors.lastError('s3-put')).toBe('connection refused');
  pipeline.feed({
    type: 'AttemptFinished',
    attempt: 0,
    result: 'rejected',
    durationMs: 0,
    slow: false,
    error: new Error('the circuit is open'),
  });
  expect(errors.lastError('s3-put')).toBe('connection refused');
  pipeline.feed({ type: 'AttemptFinished', attempt: 0, result: 'succeeded', durationMs: 1, slow: false });
  expect(errors.lastError('s3-put')).toBeUndefined();
});

it('an answer to an invalid request is not a failure of the dependency', () => {
  fails('PreconditionFailed', 'invalid');
  expect(errors.lastError('s3-put')).toBeUndefined();
  expect(lines).toEqual([]);
});

it('an error that does not pass by itself is logged once a minute with its remedy', () => {
  for (const at of [0, 1000, 59_999, 60_000, 61_000]) {
    now = at;
    fails('NoSuchBucket: lake', 'invalid');
  }
  expect(errors.lastError('s3-put')).toBe('NoSuchBucket: lake');
  const line = 's3 rejects calls and will not recover by itself: NoSuchBucket: lake. Remedy: create the bucket.';
  expect(lines).toEqual([line, line]);
});

it('the description of an error includes the messages of its causes, each once', () => {
  const cause = new Error('NOAUTH Authentication required.');
  expect(describeError(new Error('Redis does not answer.', { cause }))).toBe('Redis does not answer: NOAUTH Authentication required.');
  expect(describeError(new Error('failed: NOAUTH Authentication required.', { cause }))).toBe('failed: NOAUTH Authentication required.');
  expect(describeError(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
});
