import {
  GetQueryExecutionCommand,
  StartQueryExecutionCommand,
  type AthenaClient,
  type StartQueryExecutionInput,
} from '@aws-sdk/client-athena';
import { expect, it } from 'vitest';
import type { CallGuard } from '../../guards.ts';
import { AthenaEngine } from './athena-engine.ts';
import { engineRequest } from '../../testing-engine.ts';

const settings = { workgroup: 'primary', database: 'bookstore', outputLocation: 's3://bucket/results/', pollMsMin: 1, pollMsMax: 1 };

/** An Athena that gives the answers of the test. The emulator ignores tokens, so the test looks at the request. */
function athenaThat(
  answer: (command: unknown) => unknown,
  guard: CallGuard = async (_call, run) => await run(new AbortController().signal),
): AthenaEngine {
  const client = { send: async (command: unknown) => answer(command) } as unknown as AthenaClient;
  return new AthenaEngine(client, settings, guard, async () => undefined);
}

it('a successor that does not know the execution sends the same token and body, so Athena starts no second one', async () => {
  const begun: StartQueryExecutionInput[] = [];
  const engine = athenaThat((command) => {
    if (command instanceof StartQueryExecutionCommand) begun.push(command.input);
    if (command instanceof GetQueryExecutionCommand) return { QueryExecution: { Status: { State: 'SUCCEEDED' } } };
    return { QueryExecutionId: 'execution', ResultSet: {} };
  });
  for (let worker = 0; worker < 2; worker += 1) {
    await engine.run(engineRequest('SELECT 1', { queryId: 'q' }));
  }
  expect(begun).toHaveLength(2);
  expect(begun[0]!.ClientRequestToken).toBe('q');
  expect(begun[1]).toEqual(begun[0]);
});

it('the engine reports to its pipeline that Athena throttles, and until when', async () => {
  const seen: unknown[] = [];
  const busy = Object.assign(new Error('busy'), { name: 'ThrottlingException', $response: { headers: { 'retry-after': '3' } } });
  const engine = athenaThat(
    () => {
      throw busy;
    },
    async (_call, run) =>
      await run(new AbortController().signal).catch((error: unknown) => {
        seen.push(error);
        throw error;
      }),
  );
  await expect(engine.run(engineRequest('SELECT 1', { queryId: 'q' }))).rejects.toMatchObject({ code: 'unavailable' });
  expect(seen).toEqual([expect.objectContaining({ name: 'Throttled', retryAfterMs: 3000, cause: busy })]);
});
