import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaReceipt } from '@millrace/contracts';
import { PipelineRegistry, ProcessLoad, type RunningService } from '@millrace/runtime';
import { spawnService, type ServiceProcess, TestTopic, withoutShedding } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectEachOnce, load, post, startPurchase, startReadyPurchase } from './testing/purchase-client.ts';
import { seedPurchase, seedText } from './testing/seed-purchase.ts';

const brokers = process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092';
let topic: TestTopic;
let service: RunningService;

beforeAll(async () => {
  topic = await TestTopic.create('purchase-test');
  service = await startReadyPurchase({ KAFKA_BROKERS: brokers, PURCHASE_TOPIC: topic.name });
});
afterAll(async () => {
  await service?.close();
  await topic?.delete();
});

describe('a purchase', () => {
  it("a purchase with the article's bytes is answered with its place, and the topic has it with its headers", async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await post(service.url, seedText, { headers: { 'content-type': 'application/json', traceparent } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      eventId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string,
      durability: 'kafka',
      topic: topic.name,
      partition: 1,
      offset: '0',
      links: { self: `/v1/purchases/${answer.body.eventId}?partition=1&offset=0` },
    });
    const { eventId } = answer.body;
    expect(await topic.messages()).toEqual([
      {
        partition: 1,
        offset: '0',
        key: 'test-user',
        value: JSON.stringify({ eventId, ...seedPurchase() }),
        headers: {
          ce_id: eventId,
          ce_type: 'com.millrace.bookstore.purchase.v1',
          ce_source: '/millrace/purchase',
          ce_specversion: '1.0',
          ce_time: '2019-11-30T13:47:21.000Z',
          'content-type': 'application/json',
          traceparent,
        },
      },
    ]);
  });

  it.each([
    ['a wrong field', seedPurchase({ userAge: 'old' }), 400, 'validation', 'userAge'],
    ['a missing field', { ...seedPurchase(), title: undefined }, 400, 'validation', 'title'],
    ['an unknown field', seedPurchase({ price: 1 }), 400, 'validation', 'price'],
    ['broken JSON', '{"bookId": ', 400, 'invalid-json', undefined],
    ['an empty body', '', 400, 'invalid-json', undefined],
    ['a body of 2 MB', seedPurchase({ title: 'x'.repeat(2_000_000) }), 413, 'body-too-large', undefined],
  ])('a purchase with %s is refused, and nothing changes', async (_what, body, status, problem, field) => {
    const before = await topic.messages();
    const answer = await post(service.url, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${problem}`, status, instance: '/v1/purchases' });
    expect(answer.body.errors?.map((one) => one.field)).toEqual(field === undefined ? undefined : [field]);
    expect(await topic.messages()).toEqual(before);
  });

  it('a purchase without a content type is refused', async () => {
    const response = await fetch(`${service.url}/v1/purchases`, { method: 'POST', body: new Blob([seedText]) });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ type: 'urn:millrace:problem:unsupported-media-type' });
  });

  it('a purchase passes its deadline on to the topic', async () => {
    const deadline = String(Date.now() + 60_000);
    const { status, body } = await post(service.url, seedText, {
      headers: { 'content-type': 'application/json', 'x-millrace-deadline': deadline },
    });
    expect(status).toBe(202);
    expect((await topic.messages()).find(({ headers }) => headers['ce_id'] === body.eventId)?.headers).toMatchObject({
      'x-millrace-deadline': deadline,
    });
  });

  it('a purchase is refused when its deadline has passed', async () => {
    const answer = await post(service.url, seedText, { headers: { 'content-type': 'application/json', 'x-millrace-deadline': '1000' } });
    expect([answer.status, answer.body.type]).toEqual([504, 'urn:millrace:problem:deadline-exceeded']);
  });
});

describe('an overloaded service', () => {
  it('an overloaded service sheds batches before single purchases, and requests of low priority first', async () => {
    const busy = await startReadyPurchase({
      KAFKA_BROKERS: brokers,
      PURCHASE_TOPIC: topic.name,
      PURCHASE_HTTP_SHED_DELAY_MS_FROM: '100',
      PURCHASE_HTTP_SHED_DELAY_MS_FULL: '500',
    });
    try {
      const processLoad = busy.app.get(ProcessLoad);
      processLoad.stop();
      // A load between the level that sheds normal requests and the level that sheds high ones.
      processLoad.eventLoopDelayMs = () => 400;
      processLoad.heapUsedRatio = () => 0;
      const http = busy.app.get(PipelineRegistry).get('http');
      await vi.waitFor(() => expect(http.snapshot().shed?.load).toBeCloseTo(0.75));
      const headers = { 'content-type': 'application/json', 'x-millrace-priority': 'low' };
      const answers = [
        await post(busy.url, [seedPurchase()], { path: '/v1/purchases/batch' }),
        await post(busy.url, seedText, { headers }),
        await post(busy.url, seedText),
      ];
      expect(answers.map(({ status, body }) => [status, body.type])).toEqual([
        [503, 'urn:millrace:problem:overloaded'],
        [503, 'urn:millrace:problem:overloaded'],
        [202, undefined],
      ]);
    } finally {
      await busy.close();
    }
  });
});

describe('a batch', () => {
  it('a batch with good and bad items has an answer for each item', async () => {
    const { status, body } = await post(
      service.url,
      [seedPurchase({ userId: 'a' }), seedPurchase({ userAge: -1 }), seedPurchase({ userId: 'a' })],
      { path: '/v1/purchases/batch' },
    );
    expect(status).toBe(202);
    expect(body).toMatchObject({
      accepted: 2,
      rejected: 1,
      items: [{ status: 202 }, { index: 1, status: 400, problem: { errors: [{ field: 'userAge', limit: 0 }] } }, { status: 202 }],
    });
    expectEachOnce(body.items.filter((item) => item.status === 202) as never, await topic.messages());
    const [first, , third] = body.items as readonly Partial<KafkaReceipt>[];
    expect(Number(third!.offset)).toBe(Number(first!.offset) + 1);
  });

  it('a batch with only bad items or with too many items is refused', async () => {
    expect((await post(service.url, [{}, 1], { path: '/v1/purchases/batch' })).status).toBe(400);
    const tooMany = await post(
      service.url,
      Array.from({ length: 10_001 }, () => 0),
      { path: '/v1/purchases/batch' },
    );
    expect([tooMany.status, tooMany.body.errors]).toEqual([400, [{ field: '', message: 'must have at most 10000 items', limit: 10_000 }]]);
  });

  it('a batch with items that are too large for the topic loses only those', async () => {
    const narrow = await TestTopic.create('purchase-narrow', { config: { 'max.message.bytes': '2000' } });
    const other = await startReadyPurchase({ KAFKA_BROKERS: brokers, PURCHASE_TOPIC: narrow.name });
    try {
      const items = Array.from({ length: 12 }, (_, n) =>
        seedPurchase({ title: n % 4 === 1 ? 'x'.repeat(1024) : 'Orlando', author: n % 4 === 1 ? 'y'.repeat(1024) : 'Virginia Woolf' }),
      );
      const { status, body } = await post(other.url, items, { path: '/v1/purchases/batch' });
      expect(status).toBe(202);
      expect(body.items.map((item) => item.status)).toEqual(items.map((_, n) => (n % 4 === 1 ? 413 : 202)));
      const messages = await narrow.messages();
      expect(messages).toHaveLength(9);
      expectEachOnce(body.items.filter((item) => item.status === 202) as never, messages);
    } finally {
      await other.close();
      await narrow.delete();
    }
  });
});

async function startReplica(): Promise<ServiceProcess> {
  return await spawnService('purchase', {
    KAFKA_BROKERS: brokers,
    PURCHASE_TOPIC: topic.name,
    MILLRACE_DRAIN_DELAY_MS: '3000',
    ...withoutShedding('PURCHASE'),
  });
}

describe('the service', () => {
  it('the service names Kafka in its readiness and counts in its metrics', async () => {
    const ready = await fetch(`${service.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      {
        status: 'ready',
        dependencies: [
          { name: 'circuit-kafka', status: 'up' },
          { name: 'circuit-topic-reads', status: 'up' },
          { name: 'kafka', status: 'up', required: true },
        ],
      },
    ]);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    for (const name of [
      'events_published_total',
      'published_bytes_total',
      'events_rejected_total',
      'queue_events',
      'queue_bytes',
      'kafka_up',
    ])
      expect(metrics).toMatch(new RegExp(`^millrace_purchase_${name}\\{[^}]*\\} \\d+$`, 'm'));
  });

  it('the service is not ready for a topic whose number of partitions differs from the contract', async () => {
    const wrong = await TestTopic.create('purchase-wrong', { partitions: 3 });
    const other = await startPurchase({ KAFKA_BROKERS: brokers, PURCHASE_TOPIC: wrong.name });
    try {
      expect((await post(other.url, seedText)).status).toBe(503);
      expect(await (await fetch(`${other.url}/health/ready`)).json()).toMatchObject({
        status: 'unavailable',
        dependencies: [
          { name: 'circuit-kafka' },
          { name: 'circuit-topic-reads' },
          { name: 'kafka', status: 'down', detail: expect.stringContaining('has 3 partitions') as string },
        ],
      });
    } finally {
      await other.close();
      await wrong.delete();
    }
  });

  it('clients that heed readiness see no failed request while the two replicas restart in turn', { timeout: 240_000 }, async () => {
    const replicas = await Promise.all([startReplica(), startReplica()]);
    const stop = new AbortController();
    const failed: unknown[] = [];
    let taken = 0;
    /**
     * Acts as a load balancer: it polls readiness and sends each request, on a new connection, to a replica that was ready.
     */
    let ready: readonly ServiceProcess[] = replicas;
    const probe = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const looks = await Promise.all(
          replicas.map(async (replica) =>
            (await fetch(`${replica.url}/health/ready`).catch(() => undefined))?.ok === true ? [replica] : [],
          ),
        );
        ready = looks.flat();
        await delay(100);
      }
    };
    const client = async (): Promise<void> => {
      for (let n = 0; !stop.signal.aborted; n += 1) {
        const chosen = ready[n % ready.length];
        const headers = { 'content-type': 'application/json', connection: 'close' };
        const status =
          chosen === undefined
            ? 'no replica is ready'
            : await post(chosen.url, seedText, { headers }).then((answer) => answer.status, String);
        if (status === 202) taken += 1;
        else failed.push(status);
        // Leaves the machine room to start the next replica.
        await delay(20);
      }
    };
    const work = [probe(), ...Array.from({ length: 4 }, client)];
    for (const index of [0, 1]) {
      expect(await replicas[index]!.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      replicas[index] = await startReplica();
      await expect.poll(() => ready.includes(replicas[index]!)).toBe(true);
    }
    stop.abort();
    await Promise.all(work);
    await Promise.all(replicas.map(async (replica) => await replica.kill()));
    expect(failed).toEqual([]);
    expect(taken).toBeGreaterThan(50);
  });

  it('after SIGTERM under load, the service answers its accepted requests, exits with 0 and loses no purchase', async () => {
    const before = (await topic.messages()).length;
    const stopping = await spawnService('purchase', { KAFKA_BROKERS: brokers, PURCHASE_TOPIC: topic.name });
    const stop = new AbortController();
    const loading = load(stopping.url, { count: 100_000, until: stop.signal });
    await expect
      .poll(async () => (await fetch(`${stopping.url}/metrics`)).text(), { timeout: 30_000 })
      .toMatch(/events_published_total\{[^}]*\} [1-9]\d\d/);
    const ended = stopping.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    stop.abort();
    const { receipts } = await loading;
    expect(receipts.length).toBeGreaterThan(100);
    const messages = await topic.messages();
    expectEachOnce(receipts, messages);
    // The topic holds no purchase whose sender got no answer.
    expect(messages).toHaveLength(before + receipts.length);
  });
});
