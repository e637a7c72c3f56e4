import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from './connection.ts';
import { json, problem, ScriptedService, settle, type ScriptedAnswer } from './testing/scripted-service.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function connectionTo(answers: readonly ScriptedAnswer[], options: object = {}): { service: ScriptedService; connection: Connection } {
  const service = new ScriptedService(answers);
  return { service, connection: new Connection('test-api', { ...service.options, ...options }) };
}

const request = { method: 'GET', path: '/v1/thing' } as const;

describe('Connection', () => {
  it.each([
    ['408', problem(408, 'request-timeout')],
    ['429', problem(429, 'too-many-requests')],
    ['502', new Response('<html>', { status: 502 })],
    ['503', problem(503, 'unavailable')],
    ['504', problem(504, 'deadline-exceeded')],
    ['a lost connection', new TypeError('fetch failed')],
  ])('a call is retried after %s', async (_what, failure) => {
    const { service, connection } = connectionTo([failure, json(200, { ok: true })]);
    expect(await settle(connection.ask(request))).toEqual({ ok: true });
    expect(service.seen).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 409, 413, 422, 500])('a call is not retried after %i', async (status) => {
    const { service, connection } = connectionTo([problem(status, 'wrong')]);
    await expect(settle(connection.ask(request))).rejects.toMatchObject({
      code: 'problem',
      status,
      retryable: false,
      message: `GET /v1/thing was answered ${status}: It is wrong.`,
      problem: { type: 'urn:millrace:problem:wrong' },
    });
    expect(service.seen).toHaveLength(1);
  });

  it('a retry waits at least for the Retry-After of the answer', async () => {
    const { connection } = connectionTo([problem(503, 'overloaded', { 'retry-after': '7' }), json(200, {})]);
    const start = Date.now();
    await settle(connection.ask(request));
    expect(Date.now() - start).toBeGreaterThanOrEqual(7000);
  });

  it('the back-off is a random part of a growing bound', async () => {
    const { connection } = connectionTo([problem(503, 'unavailable'), problem(503, 'unavailable'), json(200, {})], { random: () => 0.5 });
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    await settle(connection.ask(request));
    const waits = setTimeoutSpy.mock.calls.map(([, ms]) => ms!).filter((ms) => ms < 1000);
    expect(waits).toEqual([50, 100]);
  });

  it('the call fails with the last answer after the last attempt', async () => {
    const { service, connection } = connectionTo(
      Array.from({ length: 3 }, () => problem(503, 'unavailable')),
      { attemptsMax: 3 },
    );
    await expect(settle(connection.ask(request))).rejects.toMatchObject({ code: 'problem', status: 503, retryable: true });
    expect(service.seen).toHaveLength(3);
  });

  it('the call fails at once when Retry-After exceeds the remaining time of the call', async () => {
    const { connection } = connectionTo([problem(503, 'unavailable', { 'retry-after': '600' })]);
    await expect(settle(connection.ask(request))).rejects.toMatchObject({ status: 503, retryAfterMs: 600_000 });
  });

  it('a call without an answer fails with a timeout', async () => {
    const { service, connection } = connectionTo(['hang', 'hang'], { attemptMs: 1000, attemptsMax: 2 });
    await expect(settle(connection.ask(request))).rejects.toMatchObject({ code: 'timeout', retryable: true });
    expect(service.seen).toHaveLength(2);
  });

  it('the error of a failed connection names the address and has the cause', async () => {
    const cause = new TypeError('fetch failed');
    const { connection } = connectionTo([cause], { attemptsMax: 1 });
    await expect(settle(connection.ask(request))).rejects.toMatchObject({
      code: 'unreachable',
      message: 'GET /v1/thing: http://service/ did not answer.',
      cause,
    });
  });

  it('an aborted call fails with the reason of its signal, even between two attempts', async () => {
    const { service, connection } = connectionTo(['hang', problem(503, 'unavailable', { 'retry-after': '5' })]);
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [connection.ask(request, { signal: first.signal }), connection.ask(request, { signal: second.signal })];
    const failures = Promise.allSettled(calls);
    await vi.advanceTimersByTimeAsync(100);
    first.abort(new Error('left'));
    second.abort(new Error('left, too'));
    expect(await settle(failures)).toMatchObject([{ reason: { message: 'left' } }, { reason: { message: 'left, too' } }]);
    expect(service.seen).toHaveLength(2);
  });

  it('each attempt gets a new token', async () => {
    let count = 0;
    const token = (): string => `token-${(count += 1)}`;
    const { service, connection } = connectionTo([problem(503, 'unavailable'), json(200, {})], { token });
    await settle(connection.ask(request));
    expect(service.seen.map(({ headers }) => headers['authorization'])).toEqual(['Bearer token-1', 'Bearer token-2']);
  });
});
