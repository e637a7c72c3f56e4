import { describe, expect, it } from 'vitest';
import {
  AttemptTimeoutError,
  BulkheadFullError,
  BulkheadWaitExceededError,
  ChaosFaultError,
  CircuitOpenError,
  DeadlineExceededError,
  FallbacksFullError,
  PipelineClosedError,
  PipelineSettingsError,
  QueueFullError,
  RejectedError,
  RetryBudgetSpentError,
  ShedError,
} from './errors.ts';

describe('a rejection', () => {
  it.each([
    [CircuitOpenError, 'CircuitOpenError', 'circuit-open', true, 'The circuit "s3" is open.'],
    [BulkheadFullError, 'BulkheadFullError', 'bulkhead-full', true, 'The bulkhead "s3" and its queue are full.'],
    [
      BulkheadWaitExceededError,
      'BulkheadWaitExceededError',
      'bulkhead-wait-exceeded',
      true,
      'A call waited too long for a permit of the bulkhead "s3".',
    ],
    [ShedError, 'ShedError', 'shed', true, 'A call of "s3" was shed: the process is overloaded.'],
    [DeadlineExceededError, 'DeadlineExceededError', 'deadline-exceeded', false, 'The deadline of a call of "s3" has passed.'],
    [RetryBudgetSpentError, 'RetryBudgetSpentError', 'retry-budget-spent', true, 'The retry budget of "s3" is spent.'],
    [FallbacksFullError, 'FallbacksFullError', 'fallbacks-full', true, 'Too many concurrent fallbacks of "s3".'],
    [PipelineClosedError, 'PipelineClosedError', 'pipeline-closed', true, 'The pipeline "s3" is closed.'],
  ] as const)('%s has a message and a code that name the rejection', (Refusal, name, code, retryable, message) => {
    const limit = Error.stackTraceLimit;
    const cause = new Error('down');
    const error: RejectedError = new Refusal('s3', { retryAfterMs: 70, cause });
    expect(error).toBeInstanceOf(RejectedError);
    expect({ name: error.name, code: error.code, retryable: error.retryable, message: error.message, pipeline: error.pipeline }).toEqual({
      name,
      code,
      retryable,
      message,
      pipeline: 's3',
    });
    expect([error.retryAfterMs, error.cause]).toEqual([70, cause]);
    const bare = new Refusal('s3');
    expect([bare.retryAfterMs, 'cause' in bare]).toEqual([undefined, false]);
    expect(bare.stack).not.toContain('\n    at ');
    expect(Error.stackTraceLimit).toBe(limit);
  });
});

describe('a failure', () => {
  it('AttemptTimeoutError carries the time that the attempt had', () => {
    const limit = Error.stackTraceLimit;
    const error = new AttemptTimeoutError('s3', 50);
    expect(error).toMatchObject({
      name: 'AttemptTimeoutError',
      code: 'attempt-timeout',
      retryable: true,
      pipeline: 's3',
      timeoutMs: 50,
      message: 'An attempt of "s3" took longer than 50 ms.',
    });
    expect(error.stack).not.toContain('\n    at ');
    expect(Error.stackTraceLimit).toBe(limit);
  });

  it('ChaosFaultError names the pipeline', () => {
    expect(new ChaosFaultError('s3')).toMatchObject({
      name: 'ChaosFaultError',
      code: 'chaos-fault',
      retryable: true,
      pipeline: 's3',
      message: 'A fault was injected into "s3".',
    });
  });

  it('PipelineSettingsError has a sentence for each problem', () => {
    const error = new PipelineSettingsError('s3', ['One.', 'Two.']);
    expect(error).toMatchObject({
      name: 'PipelineSettingsError',
      code: 'pipeline-settings-invalid',
      retryable: false,
      pipeline: 's3',
      problems: ['One.', 'Two.'],
      message: 'Invalid settings of the pipeline "s3": One. Two.',
    });
  });

  it('QueueFullError carries the maximum number of entries', () => {
    expect(new QueueFullError(9)).toMatchObject({
      name: 'QueueFullError',
      code: 'queue-full',
      retryable: true,
      entriesMax: 9,
      message: 'The queue is full: it holds 9 entries, its maximum.',
    });
  });
});
