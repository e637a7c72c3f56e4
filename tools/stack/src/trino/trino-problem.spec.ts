import { describe, expect, it } from 'vitest';
import { trinoProblem } from './trino-problem.ts';

/** Gives answers one after the other. */
function answering(...answers: readonly (object | number)[]): typeof fetch {
  const left = [...answers];
  return async () => {
    const answer = left.shift();
    return typeof answer === 'number' ? new Response(null, { status: answer }) : Response.json(answer);
  };
}

const next = { nextUri: 'http://trino/next' };

describe('a Trino', () => {
  it('is ready when a query answers its row', async () => {
    expect(await trinoProblem('http://trino', answering(next, { ...next, data: [[1]] }, {}))).toBeUndefined();
  });

  it.each(['Trino server is still initializing', 'No nodes available to run query'])('is not ready while it says: %s', async (message) => {
    expect(await trinoProblem('http://trino', answering(next, { error: { message } }))).toBe(message);
  });

  it('is not ready when it ends a query without a row', async () => {
    expect(await trinoProblem('http://trino', answering(next, {}))).toBe('it answered 0 rows instead of 1');
  });

  it('is not ready while it refuses the request', async () => {
    await expect(trinoProblem('http://trino', answering(503))).rejects.toThrow('it answers 503');
  });
});
