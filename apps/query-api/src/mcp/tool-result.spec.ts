import { describe, expect, it } from 'vitest';
import { QueryError, validationError } from '../errors.ts';
import { answered, toolResult } from './tool-result.ts';

const unexpected = (error: unknown): never => {
  throw error;
};

describe('the answer of a tool', () => {
  it('an answer is given as structure and as text', async () => {
    const result = await toolResult(async () => answered({ rows: [[1]] }), unexpected);
    expect(result).toEqual({ content: [{ type: 'text', text: '{"rows":[[1]]}' }], structuredContent: { rows: [[1]] } });
  });

  it('a refused call names its code, its reason and the time of a retry', async () => {
    const refusal = new QueryError('too-many-requests', 'The budget is used up.', { retryAfterSeconds: 60 });
    const result = await toolResult(() => Promise.reject(refusal), unexpected);
    expect(result).toEqual({
      content: [{ type: 'text', text: 'too-many-requests: The budget is used up. Try again in 60 s.' }],
      isError: true,
    });
  });

  it('a refused call names every wrong field', async () => {
    const refusal = validationError([
      { field: 'sql', message: 'is required' },
      { field: 'price', message: 'is not a known field' },
    ]);
    expect(await toolResult(() => Promise.reject(refusal), unexpected)).toMatchObject({
      content: [{ text: 'validation: sql is required (and 1 more). Wrong: sql is required; price is not a known field.' }],
    });
  });

  it('an unexpected error is reported, and the caller sees nothing of it', async () => {
    const reported: unknown[] = [];
    const result = await toolResult(
      () => Promise.reject(new Error('secret')),
      (error) => reported.push(error),
    );
    expect(reported).toEqual([new Error('secret')]);
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(result.isError).toBe(true);
  });
});
