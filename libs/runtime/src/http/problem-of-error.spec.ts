import { type Problem, problemOf } from '@millrace/contracts';
import {
  AttemptTimeoutError,
  BulkheadFullError,
  BulkheadWaitExceededError,
  ChaosFaultError,
  CircuitOpenError,
  DeadlineExceededError,
  FallbacksFullError,
  PipelineClosedError,
  RetryBudgetSpentError,
  ShedError,
} from '@millrace/resilience';
import { BadRequestException, ConflictException, HttpException, ServiceUnavailableException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../errors.ts';
import { problemOfError } from './problem-of-error.ts';

const of = (error: unknown): ReturnType<typeof problemOfError> => problemOfError(error, '/v1/x', { bodyBytesMax: 10 });

describe('problemOfError', () => {
  it('a ProblemError keeps its content', () => {
    const errors = [{ field: 'userAge', message: 'must be at most 150', limit: 150 }];
    expect(of(new ProblemError('validation', { errors, headers: { 'x-a': 'b' }, cause: new Error('inner') }))).toEqual({
      problem: {
        type: 'urn:millrace:problem:validation',
        title: 'The request breaks the contract',
        status: 400,
        instance: '/v1/x',
        errors,
      },
      headers: { 'x-a': 'b' },
    });
  });

  it.each([
    [new BadRequestException('no'), 'validation', 400, 'no'],
    [new ConflictException('busy'), 'not-finished', 409, 'busy'],
    [new HttpException('I am a teapot', 418), 'validation', 400, 'I am a teapot'],
    [new ServiceUnavailableException('db at 10.0.0.1 is down'), 'unavailable', 503, undefined],
    [new Error('secret'), 'internal', 500, undefined],
    ['a string', 'internal', 500, undefined],
    [undefined, 'internal', 500, undefined],
  ])('%s becomes a problem with the right type, status and detail', (error, name, status, detail) => {
    const { problem } = of(error);
    expect(problem).toMatchObject({ type: `urn:millrace:problem:${name}`, status });
    expect(problem.detail).toBe(detail);
  });

  it('an error with toProblem defines its own problem document', () => {
    class ShopClosed extends Error {
      toProblem(): Problem {
        return problemOf('unavailable', { detail: 'Closed until nine.', retryAfterSeconds: 60 });
      }
    }
    expect(of(new ShopClosed())).toEqual({
      problem: {
        type: 'urn:millrace:problem:unavailable',
        title: 'A dependency is not available',
        status: 503,
        detail: 'Closed until nine.',
        retryAfterSeconds: 60,
        instance: '/v1/x',
      },
      headers: { 'retry-after': '60' },
    });
  });

  it('Retry-After is rounded up, so that clients do not retry too early', () => {
    expect(of(new ProblemError('unavailable', { retryAfterSeconds: 0.2 })).headers).toEqual({ 'retry-after': '1' });
  });

  it.each([
    [new CircuitOpenError('kafka', { retryAfterMs: 2400 }), 'unavailable', 503, '3', 'kafka is not available: its circuit is open.'],
    [
      new RetryBudgetSpentError('s3', { cause: new Error('secret') }),
      'unavailable',
      503,
      '1',
      's3 failed, and its budget for retries is spent.',
    ],
    [new PipelineClosedError('s3'), 'unavailable', 503, '1', 'The service is stopping.'],
    [new BulkheadFullError('redis'), 'overloaded', 503, '1', 'Too many concurrent calls to redis.'],
    [new BulkheadWaitExceededError('redis'), 'overloaded', 503, '1', 'The request waited too long for a free call to redis.'],
    [new FallbacksFullError('kafka'), 'overloaded', 503, '1', 'kafka is not available, and too many requests are served without it.'],
    [new ShedError('http', { retryAfterMs: 5000 }), 'overloaded', 503, '5', 'The service is overloaded and refuses this request.'],
    [new AttemptTimeoutError('glue', 100), 'unavailable', 503, '1', 'glue did not answer in time.'],
    [new ChaosFaultError('glue'), 'unavailable', 503, '1', 'glue failed.'],
    [
      new DeadlineExceededError('s3', { retryAfterMs: 10 }),
      'deadline-exceeded',
      504,
      undefined,
      'The deadline of the request passed before s3 answered.',
    ],
  ] as const)('%s becomes a problem with Retry-After and a remedy', (error, name, status, retryAfter, detail) => {
    const { problem, headers } = of(error);
    expect(problem).toMatchObject({ type: `urn:millrace:problem:${name}`, status, detail });
    expect(headers['retry-after']).toBe(retryAfter);
  });
});
