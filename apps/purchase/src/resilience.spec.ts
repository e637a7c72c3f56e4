import { createPipeline, applyPatch } from '@millrace/resilience';
import { CallPaths, type SettingsOf } from '@millrace/runtime';
import { ResponseError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { readPurchaseConfig } from './config.ts';
import { kafkaGuardOver, purchasePipelinesOf, purchaseSpecs } from './resilience.ts';

function guarded(env: Readonly<Record<string, string>> = {}): {
  guard: ReturnType<typeof kafkaGuardOver>;
  kafka: ReturnType<typeof createPipeline>;
} {
  const config = readPurchaseConfig(env);
  const kafka = createPipeline(purchaseSpecs(config).kafka);
  return { guard: kafkaGuardOver({ get: () => kafka }, config), kafka: kafka };
}

async function failing(): Promise<never> {
  throw new Error('no broker');
}

async function silent(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}

function counted(env: Readonly<Record<string, string>> = {}): { paths: CallPaths; settingsOf: SettingsOf } {
  const config = readPurchaseConfig(env);
  const { callPaths = [], attemptsPerRequestMax = 0 } = purchasePipelinesOf(config);
  const kafka = createPipeline(purchaseSpecs(config).kafka);
  return { paths: new CallPaths(callPaths, attemptsPerRequestMax), settingsOf: () => kafka.settings() };
}

describe('the guard around Kafka', () => {
  it('the guard never repeats a write, however it failed', async () => {
    const { guard } = guarded();
    let writes = 0;
    await expect(
      guard('send', async () => {
        writes += 1;
        throw new Error('the answer is lost');
      }),
    ).rejects.toThrow('the answer is lost');
    expect(writes).toBe(1);
  });

  it('the guard refuses calls at once after Kafka has failed, with the time until the next attempt', async () => {
    const { guard, kafka } = guarded({ PURCHASE_KAFKA_BREAKER_MINIMUM_CALLS: '2' });
    await expect(guard('open', failing)).rejects.toThrow('no broker');
    await expect(guard('check', failing)).rejects.toThrow('no broker');
    await expect(guard('send', async () => await Promise.resolve(1))).rejects.toMatchObject({
      code: 'circuit-open',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(kafka.snapshot().breaker?.state).toBe('open');
  });

  it('the guard accepts other writes after Kafka refused the content of one', async () => {
    const { guard, kafka } = guarded({ PURCHASE_KAFKA_BREAKER_MINIMUM_CALLS: '2' });
    const tooLarge = new ResponseError(
      0,
      11,
      { '/responses/0/partition_responses/0': [10, null] },
      { responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode: 10, baseOffset: -1n }] }] },
    );
    for (let n = 0; n < 5; n += 1) await expect(guard('send', async () => await Promise.reject(tooLarge))).rejects.toBe(tooLarge);
    expect(kafka.snapshot().breaker?.state).toBe('closed');
  });

  it('the guard ends a call at its timeout, or when its caller aborts', async () => {
    const { guard } = guarded({ PURCHASE_KAFKA_OPEN_MS_MAX: '100', PURCHASE_KAFKA_CHECK_MS_MAX: '60000' });
    await expect(guard('open', silent)).rejects.toThrow('Kafka did not finish "open" within 100 ms');
    const caller = new AbortController();
    const waiting = guard('check', silent, caller.signal);
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });
});

describe('the time of a write', () => {
  it('the timeout of a write exceeds the timeout of one answer of Kafka, at the start and after each change', () => {
    const { rule } = purchasePipelinesOf(readPurchaseConfig({}));
    const { settingsOf } = counted();
    const within = (attemptMs: number): readonly string[] => rule!((name) => applyPatch(settingsOf(name), { timeout: { attemptMs } }));
    expect(within(1001)).toEqual([]);
    expect(within(1000)).toEqual([expect.stringContaining('a write whose answer was lost is never retried')]);
  });
});

describe('the attempts that one request may cause', () => {
  it('the client makes all attempts of one request, within the timeout of a write', () => {
    const { paths, settingsOf } = counted();
    expect(paths.count(settingsOf)).toMatchObject([
      { product: 'kafka 1 × @platformatic/kafka 30', attemptsMax: 30 },
      { product: '2 calls × topic-reads 1 × @platformatic/kafka 1', attemptsMax: 2 },
    ]);
    expect(() => paths.enforce(settingsOf)).not.toThrow();
  });

  it('settings that allow one request too many attempts are refused', () => {
    const { paths, settingsOf } = counted({ PURCHASE_KAFKA_RETRY_DELAY_MS: '10' });
    expect(() => paths.enforce(settingsOf)).toThrow('may cause 300 attempts');
  });

  it('the attempts of one request follow the current settings, which may change while the service runs', () => {
    const { paths, settingsOf } = counted();
    const longer: SettingsOf = (name) => applyPatch(settingsOf(name), { timeout: { attemptMs: 30_000 } });
    expect(paths.problem(longer)).toContain('may cause 300 attempts');
  });
});
