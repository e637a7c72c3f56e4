import { randomUUID } from 'node:crypto';
import { ProduceAcks, Producer } from '@platformatic/kafka';
import { fastify } from 'fastify';

/**
 * The smallest purchase API, as the measure of ours: Fastify without a framework above it. It validates nothing, sets no headers and sheds
 * no load. With `BARE_TOPIC` it gives the same guarantees as ours. The event has an id, goes to the partition of its user, and is answered
 * when every in-sync replica has it. One send is outstanding at a time, because concurrent idempotent sends lose acknowledged events.
 */
interface Purchase {
  readonly userId: string;
}

interface Waiting {
  readonly eventId: string;
  readonly partition: number;
  readonly message: { readonly topic: string; readonly partition: number; readonly key: Buffer; readonly value: Buffer };
  readonly resolve: (offset: bigint) => void;
  readonly reject: (error: unknown) => void;
}

const topic = process.env['BARE_TOPIC'];
const partitions = 8;
const app = fastify();
let waiting: Waiting[] = [];
let sending = false;
// Costs nothing per request: the load has few users, and the client's own partitioner is slow.
const partitionOfUser = new Map<string, number>();

if (topic === undefined) {
  app.post('/v1/purchases', (_request, reply) => {
    void reply.code(202).send({ eventId: randomUUID() });
  });
} else {
  const producer = new Producer({
    clientId: 'bare-fastify',
    bootstrapBrokers: process.env['KAFKA_BROKERS']!.split(','),
    idempotent: true,
    acks: ProduceAcks.ALL,
    autocreateTopics: false,
  });
  app.post('/v1/purchases', async (request, reply) => {
    const purchase = request.body as Purchase;
    const eventId = randomUUID();
    const partition = partitionOf(purchase.userId);
    const message = { topic, partition, key: Buffer.from(purchase.userId), value: Buffer.from(JSON.stringify({ eventId, ...purchase })) };
    const offset = await new Promise<bigint>((resolve, reject) => {
      waiting.push({ eventId, partition, message, resolve, reject });
      if (!sending) void sendAll(producer);
    });
    void reply.code(202);
    return { eventId, durability: 'kafka', topic, partition, offset: String(offset) };
  });
}

async function sendAll(producer: Producer): Promise<void> {
  sending = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    try {
      const { offsets = [] } = await producer.send({ messages: batch.map(({ message }) => message), acks: ProduceAcks.ALL });
      const next = new Map(offsets.map(({ partition, offset }) => [partition, offset]));
      for (const { partition, resolve } of batch) {
        const offset = next.get(partition)!;
        next.set(partition, offset + 1n);
        resolve(offset);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
  sending = false;
}

function partitionOf(userId: string): number {
  let partition = partitionOfUser.get(userId);
  if (partition === undefined) {
    partition = partitionOfUser.size % partitions;
    partitionOfUser.set(userId, partition);
  }
  return partition;
}

const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.(url);
// The benchmark ends this process by closing its channel.
process.once('disconnect', () => process.exit(0));
