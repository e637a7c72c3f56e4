import type { KafkaReceipt } from '@millrace/contracts';
import { FaultProxy, spawnService, type ActiveFault, type Fault, type ServiceProcess } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from './http.ts';
import { makePurchases } from './purchases.ts';
import { stack } from './stack.ts';
import { createTopic, deleteTopic, readTopic } from './topic.ts';

let topic: string;
let proxy: FaultProxy;
let purchase: ServiceProcess;

beforeAll(async () => {
  topic = await createTopic('e2e-lost-answer');
  proxy = await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort });
  // Without an outbox: every acknowledged event must have its offset in the receipt.
  purchase = await spawnService('purchase', { KAFKA_BROKERS: proxy.address, PURCHASE_TOPIC: topic });
});

afterAll(async () => {
  await purchase?.kill();
  await proxy?.close();
  await deleteTopic(topic);
});

/** Posts one by one from 32 clients at once; loses one Produce answer on the way. */
async function postWhileLosing(
  fault: Fault,
  count: number,
): Promise<{ acknowledged: { id: string; at: string }[]; inFlight: number; hits: number; statuses: Set<number> }> {
  const waiting = makePurchases(count);
  const acknowledged: { id: string; at: string }[] = [];
  const statuses: number[] = [];
  let [inFlight, inFlightAtHit] = [0, 0];
  let active: ActiveFault | undefined;
  const client = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (waiting.length === Math.floor(count * 0.7)) {
        active = await proxy.inject(fault, { times: 1, when: { api: 'Produce' } });
        void active.hit().then(() => (inFlightAtHit = inFlight));
      }
      inFlight += 1;
      const { status, body } = await post<KafkaReceipt>(`${purchase.url}/v1/purchases`, next);
      inFlight -= 1;
      statuses.push(status);
      if (status === 202) acknowledged.push({ id: body.eventId, at: `${body.partition}@${body.offset}` });
    }
  };
  await Promise.all(Array.from({ length: 32 }, client));
  return { acknowledged, inFlight: inFlightAtHit, hits: active?.hits ?? 0, statuses: new Set(statuses) };
}

describe('a Produce answer that is lost while several requests are in flight', () => {
  it.each<Fault>([{ kind: 'swallow-answer' }, { kind: 'apply-then-drop' }])(
    '$kind leaves every acknowledged purchase at the place in its receipt, and none is in the topic twice',
    async (fault) => {
      const { acknowledged, inFlight, hits, statuses } = await postWhileLosing(fault, 600);
      expect(hits).toBe(1);
      expect(inFlight).toBeGreaterThan(2);
      // A request gets 503 when the outcome of its send stays unknown.
      expect([...statuses].filter((status) => status !== 202 && status !== 503)).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(500);

      const messages = await readTopic(topic);
      const places = new Map(
        messages.map(({ value, partition, offset }) => [(JSON.parse(value) as { eventId: string }).eventId, `${partition}@${offset}`]),
      );
      expect(places.size).toBe(messages.length);
      expect(acknowledged.filter(({ id, at }) => places.get(id) !== at)).toEqual([]);
    },
  );
});
