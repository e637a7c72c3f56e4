import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InlineQueryView, QueryView } from '@millrace/contracts';
import {
  LakeView,
  OtlpReceiver,
  type ReceivedSpan,
  type ServiceProcess,
  spawnService,
  waitUntil,
  withoutShedding,
} from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, ask, patiently, post, postBatch } from './http.ts';
import { makePurchases } from './purchases.ts';
import { setUpLake } from './set-up-lake.ts';
import { stack } from './stack.ts';
import { createTopic, deleteTopic } from './topic.ts';

const id = randomUUID().slice(0, 8);
const bucket = `tracing-${id}`;
const home = join(stack.home, `tracing-${id}`);
let topic: string;
let receiver: OtlpReceiver;
let services: Record<'purchase' | 'sink' | 'queryApi' | 'queryWorker', ServiceProcess>;

beforeAll(async () => {
  receiver = await OtlpReceiver.start();
  topic = await createTopic('e2e-tracing');
  const lake = { LAKE_BUCKET: bucket, LAKE_DATABASE: `tracing_${id}` };
  await setUpLake(lake);
  const env = {
    ...lake,
    MILLRACE_HOME: home,
    QUERY_QUEUE_NAME: `tracing-${id}`,
    ...withoutShedding('PURCHASE'),
    ...withoutShedding('QUERY'),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    // Only the caller decides, so the spans are those of the purchase and of the query below.
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  // One after the other: four starts at once take each other's time on a small machine.
  services = {
    purchase: await spawnService('purchase', { ...env, PURCHASE_TOPIC: topic }),
    sink: await spawnService('sink', { ...env, SINK_TOPIC: topic, SINK_GROUP_ID: topic, SINK_FLUSH_SECONDS: '1' }),
    queryApi: await spawnService('query-api', env),
    queryWorker: await spawnService('query-worker', env),
  };
}, 360_000);
afterAll(async () => {
  await Promise.all(Object.values(services ?? {}).map(async (service) => await service.kill()));
  await receiver?.close();
  await deleteTopic(topic);
  await rm(home, { recursive: true, force: true });
});

async function spanOf(what: string, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
  return await waitUntil(what, async () => await Promise.resolve(receiver.spans.find(isWanted)), { timeoutMs: 60_000, everyMs: 50 });
}

function sampled(): { readonly traceId: string; readonly spanId: string; readonly headers: Record<string, string> } {
  const traceId = randomUUID().replaceAll('-', '');
  const spanId = traceId.slice(16);
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } };
}

function isAccepted(name: string): (span: ReceivedSpan) => boolean {
  return (span) => span.name === name && span.attributes['http.response.status_code'] === 202;
}

async function buy(
  { url }: ServiceProcess,
  purchase: unknown,
  headers: Record<string, string>,
): Promise<Answer<{ partition: number; offset: string }>> {
  return await patiently(async () => await post(`${url}/v1/purchases`, purchase, headers));
}

async function submit<T>(sql: string, headers: Record<string, string>): Promise<Answer<T>> {
  return await patiently(async () => await post<T>(`${services.queryApi.url}/v1/queries`, { sql, engine: 'duckdb' }, headers));
}

async function ledgerEntry(key: string): Promise<{ readonly id: string; readonly from: number; readonly to: number }> {
  const bytes = await new LakeView({ endpoint: stack.awsUrl, bucket }).read(key);
  return JSON.parse(bytes.toString()) as { id: string; from: number; to: number };
}

it('the trace of a purchase leads from the request over Kafka to the ledger entry, and that of a query to its offset', async () => {
  const caller = sampled();
  const [event] = makePurchases(1);
  // Purchases without a sampled caller give no span.
  expect((await postBatch(makePurchases(3), services.purchase.url)).status).toBe(202);
  const { status, body } = await buy(services.purchase, event, caller.headers);
  expect(status).toBe(202);

  // A busy service may have refused the purchase before: that attempt has a separate span.
  const request = await spanOf('the span of the request', isAccepted('POST /v1/purchases'));
  expect(request).toMatchObject({
    service: 'purchase',
    traceId: caller.traceId,
    parentSpanId: caller.spanId,
    kind: 2,
    attributes: { 'http.request.method': 'POST', 'http.route': '/v1/purchases', 'http.response.status_code': 202 },
  });
  const send = await spanOf('the span of the send', ({ kind, parentSpanId }) => kind === 4 && parentSpanId === request.spanId);
  expect(send).toMatchObject({
    name: `send ${topic}`,
    service: 'purchase',
    traceId: caller.traceId,
    parentSpanId: request.spanId,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(body.partition),
      'messaging.kafka.offset': Number(body.offset),
      'messaging.message.id': event!.eventId,
    },
  });

  const batch = await spanOf('the span of the batch', ({ name }) => name === `process ${topic}`);
  expect(batch).toMatchObject({
    service: 'sink',
    parentSpanId: undefined,
    kind: 5,
    links: [{ traceId: caller.traceId, spanId: send.spanId }],
    events: ['register', 'commit'],
    isError: false,
    attributes: { 'messaging.destination.partition.id': String(body.partition), 'messaging.consumer.group.name': topic },
  });
  const entry = await ledgerEntry(String(batch.attributes['millrace.ledger.key']));
  expect(batch.traceId).toBe(entry.id.replaceAll('-', ''));
  expect(entry.from).toBeLessThanOrEqual(Number(body.offset));
  expect(entry.to).toBeGreaterThan(Number(body.offset));
  const steps = receiver.spans.filter(({ parentSpanId }) => parentSpanId === batch.spanId).map(({ name }) => name);
  expect(steps).toEqual(['encode batch', 'stage batch', 'record batch', 'publish batch']);

  const sql = `SELECT count(*) AS sold FROM purchases WHERE event_id = '${event!.eventId}'`;
  await waitUntil(
    'the row in a table that does not change',
    async () => {
      const headers = { prefer: 'wait=20', 'cache-control': 'no-cache' };
      const { body: view } = await submit<InlineQueryView>(sql, headers);
      return view.results?.rows[0]?.[0] === '1' && view.asOf !== undefined ? true : undefined;
    },
    { timeoutMs: 60_000 },
  );

  const asking = sampled();
  const submitted = await submit<QueryView>(sql, { ...asking.headers, 'cache-control': 'no-cache' });
  expect(submitted.status).toBe(202);
  const submission = await spanOf(
    'the span of the submission',
    (span) => isAccepted('POST /v1/queries')(span) && span.traceId === asking.traceId,
  );
  expect(submission).toMatchObject({ service: 'query-api', parentSpanId: asking.spanId });
  const wait = await spanOf('the span of the wait', ({ name }) => name === 'wait for worker');
  const run = await spanOf('the span of the run', ({ name }) => name === 'run query');
  for (const span of [wait, run]) {
    expect(span).toMatchObject({ service: 'query-worker', traceId: asking.traceId, parentSpanId: submission.spanId, isError: false });
    expect(span.attributes['messaging.message.id']).toBe(submitted.body.id);
  }
  expect(run.attributes).toMatchObject({ 'db.system.name': 'duckdb', 'db.response.returned_rows': 1, 'millrace.query.state': 'succeeded' });
  expect(run.attributes['millrace.query.as_of']).toContain(`${topic}/${body.partition}:${entry.to}`);
  const { body: page } = await ask<{ rows: unknown[][] }>(`${services.queryApi.url}/v1/queries/${submitted.body.id}/results`);
  expect(page.rows).toEqual([['1']]);

  expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([caller.traceId, batch.traceId, asking.traceId]));
});

it('a service whose SDK is disabled by its variable exports nothing and takes purchases', async () => {
  const before = receiver.requests;
  const plain = await spawnService('purchase', {
    PURCHASE_TOPIC: topic,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_SDK_DISABLED: 'true',
  });
  try {
    expect((await buy(plain, makePurchases(1)[0], sampled().headers)).status).toBe(202);
  } finally {
    expect(await plain.kill()).toEqual({ code: 0, signal: null });
  }
  expect(receiver.requests).toBe(before);
});
