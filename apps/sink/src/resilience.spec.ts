import { LakeError, type StoreCall } from '@millrace/lake';
import { createPipeline, type Pipeline } from '@millrace/resilience';
import { CallPaths } from '@millrace/runtime';
import { describe, expect, it } from 'vitest';
import { readSinkConfig } from './config.ts';
import { guardsOver, remedyOf, sinkPipelines, sinkPipelinesOf, type SinkGuards } from './resilience.ts';

function guarded(env: Readonly<Record<string, string>> = {}): { guards: SinkGuards; pipelines: ReadonlyMap<string, Pipeline> } {
  const config = readSinkConfig({
    SINK_S3_RETRY_BASE_MS: '1',
    SINK_S3_RETRY_WAIT_MS_MAX: '1',
    SINK_GLUE_RETRY_BASE_MS: '1',
    SINK_GLUE_RETRY_WAIT_MS_MAX: '1',
    ...env,
  });
  const pipelines = new Map(
    Object.values(sinkPipelinesOf(config).specs).map((spec): [string, Pipeline] => [spec.name, createPipeline(spec)]),
  );
  return { guards: guardsOver({ get: (name) => pipelines.get(name)! }), pipelines };
}

const away = new LakeError('unavailable', 'no answer');

/** A call that fails this many times, and counts its attempts. */
function failing(times: number, error: Error = away): { run: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    run: async () => {
      calls += 1;
      if (calls <= times) throw error;
      return 'done';
    },
    calls: () => calls,
  };
}

describe('the guards of the sink', () => {
  it.each(['get', 'head', 'list', 'copy', 'delete'] satisfies StoreCall[])('the guard of S3 retries %s once', async (call) => {
    const once = failing(1);
    expect(await guarded().guards.s3(call, once.run, undefined)).toBe('done');
    const always = failing(9);
    await expect(guarded().guards.s3(call, always.run, undefined)).rejects.toBe(away);
    expect(always.calls()).toBe(2);
  });

  it('the guard of S3 never retries a PUT: the ledger reads whether it took effect', async () => {
    const put = failing(1);
    await expect(guarded().guards.s3('put', put.run, undefined)).rejects.toBe(away);
    expect(put.calls()).toBe(1);
  });

  it('the guards retry the catalog but not Kafka, whose strategy restarts by itself', async () => {
    const { guards } = guarded();
    expect(await guards.glue(failing(1).run, undefined)).toBe('done');
    await expect(guards.kafka(failing(1).run)).rejects.toBe(away);
  });

  it('the guards treat a refusal as an answer: it opens no circuit and is not retried', async () => {
    const { guards, pipelines } = guarded();
    for (const code of ['exists', 'no-such-key', 'invalid'] as const) {
      for (let call = 0; call < 5; call += 1) {
        const refusing = failing(9, new LakeError(code, code));
        await expect(guards.s3('get', refusing.run, undefined)).rejects.toMatchObject({ code });
        expect(refusing.calls()).toBe(1);
      }
    }
    expect(pipelines.get('s3')!.snapshot().breaker).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('the guards respect throttling by AWS: the next attempt does not start before its retry-after time', async () => {
    const slowDown = new LakeError('unavailable', 'SlowDown', { throttled: true, retryAfterMs: 100_000 });
    const { guards, pipelines } = guarded();
    const classes: unknown[] = [];
    pipelines.get('s3')!.events.subscribe((event) => event.type === 'AttemptFinished' && classes.push(event.errorClass));
    const asked = failing(9, slowDown);
    await expect(guards.s3('get', asked.run, undefined)).rejects.toBe(slowDown);
    expect([asked.calls(), classes]).toEqual([1, ['throttled']]);
  });

  it.each(['denied', 'misconfigured'] as const)(
    'a refusal (%s) opens no circuit, is not retried by the guard, and names a remedy for an operator',
    async (code) => {
      const { guards, pipelines } = guarded();
      const refusal = new LakeError(code, 'refused');
      const refusing = failing(99, refusal);
      for (let call = 0; call < 10; call += 1) await expect(guards.s3('get', refusing.run, undefined)).rejects.toBe(refusal);
      expect(refusing.calls()).toBe(10);
      expect(pipelines.get('s3')!.snapshot().breaker).toMatchObject({ state: 'closed', failures: 0 });
      expect(refusal.retryable).toBe(true);
      expect(remedyOf(refusal)).toMatch(/^check /);
      expect(remedyOf(away)).toBeUndefined();
    },
  );

  it('the guard of Kafka treats a refusing Kafka as healthy, too', async () => {
    const { guards, pipelines } = guarded();
    const refusal = Object.assign(new Error('SASL PLAIN authentication failed'), { name: 'KafkaJSSASLAuthenticationError' });
    for (let call = 0; call < 10; call += 1) await expect(guards.kafka(failing(9, refusal).run)).rejects.toBe(refusal);
    expect(pipelines.get('kafka')!.snapshot().breaker).toMatchObject({ state: 'closed', failures: 0 });
    expect(remedyOf(refusal)).toMatch(/KAFKA_SASL_MECHANISM/);
  });

  it('the guards still call Glue and Kafka while S3 is unavailable', async () => {
    const { guards } = guarded({ SINK_S3_BREAKER_MINIMUM_CALLS: '1' });
    await expect(guards.s3('put', failing(9).run, undefined)).rejects.toBe(away);
    expect(await guards.glue(failing(0).run, undefined)).toBe('done');
    expect(await guards.kafka(failing(0).run)).toBe('done');
  });
});

it('one attempt of a step costs at most two calls; a call of the consumer costs as many as kafkajs makes', () => {
  const { callPaths = [], specs } = sinkPipelinesOf(readSinkConfig({}));
  expect(new CallPaths(callPaths, 12).count((name) => createPipeline(specs[name]!).settings()).map(({ product }) => product)).toEqual([
    'kafkajs 9',
    's3 2 × AWS SDK 1',
    'glue 2 × AWS SDK 1',
    'kafka 1 × kafkajs 1',
  ]);
});

it('contradictory settings of a pipeline are reported with all other faults', () => {
  expect(() => readSinkConfig({ SINK_S3_ATTEMPT_TIMEOUT_MS: '90000', SINK_PORT: '1' })).toThrow(/Pipeline s3: .*attemptMs/);
  expect(Object.keys(sinkPipelines)).toEqual(['s3', 'glue', 'kafka']);
});
