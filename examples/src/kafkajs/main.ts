import kafkajs, { type EachMessagePayload } from 'kafkajs';
import { InvalidPurchaseError, readPurchase } from '../purchase-reader.ts';

const topic = process.env['TOPIC'] ?? 'bookstore.purchases.v1';
const kafka = new kafkajs.Kafka({
  clientId: 'example-kafkajs',
  brokers: (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(','),
  logLevel: kafkajs.logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: process.env['GROUP_ID'] ?? 'example-kafkajs', allowAutoTopicCreation: false });

function handle({ partition, message }: EachMessagePayload): void {
  const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]));
  const { data, ...attributes } = readPurchase(headers, parse(message.value));
  // Your work. It may happen twice for one event after a crash, so make it idempotent on `id`.
  console.log(JSON.stringify({ ...attributes, partition, offset: message.offset, data }));
}

function parse(value: Buffer | null): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    throw new InvalidPurchaseError('The record is not JSON.');
  }
}

await consumer.connect();
// Only a new group begins at the first event. After that, Kafka keeps the position of the group.
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  // kafkajs commits an offset only after this function has returned for it. When it throws, Kafka delivers the record again.
  // oxlint-disable-next-line typescript/require-await -- your work is asynchronous
  eachMessage: async (payload) => {
    try {
      handle(payload);
    } catch (error) {
      if (!(error instanceof InvalidPurchaseError)) throw error;
      console.error(`${payload.topic}/${payload.partition}@${payload.message.offset}: ${error.message}`);
    }
  },
});

// `disconnect` waits for the running handler, commits and leaves the group, so that another member takes over at once.
process.once('SIGTERM', () => void consumer.disconnect());
process.once('SIGINT', () => void consumer.disconnect());
