import { describe, expect, it } from 'vitest';
import { trinoProblem } from './trino-problem.ts';

/** A fake `fetch` that returns the answers in order. */
function answering(...answers: readonly (object | number)[]): typeof fetch {
  const left = [...answers];
  return async () => {
    const answer = left.shift();
    return typeof answer === 'number' ? new Response(null, { status: answer }) : Response.json(answer);
  };
}

const next = { nextUri: 'http://trino/next' };

describe('trinoProblem', () => {
  it('Trino is ready when a query returns its row', async () => {
    expect(await trinoProblem('http://trino', answering(next, { ...next, data: [[1]] }, {}))).toBeUndefined();
  });

  it.each(['Trino server is still initializing', 'No nodes available to run query'])(
    'Trino is not ready while it answers "%s"',
    async (message) => {
      expect(await trinoProblem('http://trino', answering(next, { error: { message } }))).toBe(message);
    },
  );

  it('Trino is not ready when a query ends without a row', async () => {
    expect(await trinoProblem('http://trino', answering(next, {}))).toBe('it answered 0 rows instead of 1');
  });

  it('Trino is not ready while it refuses the request', async () => {
    await expect(trinoProblem('http://trino', answering(503))).rejects.toThrow('it answers 503');
  });
});
