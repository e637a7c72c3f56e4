import { purchases } from '@millrace/contracts';
import kafkajs from 'kafkajs';

/** A place in the topic of the purchases. */
export interface BrokenPlace {
  readonly partition: number;
  /** Offset of the first record of the partition. */
  readonly offset: string;
}

/** Produces records that break the contract, as another team could. The purchase API would refuse them. */
export async function produceBroken(events: readonly Readonly<Record<string, unknown>>[]): Promise<readonly BrokenPlace[]> {
  const brokers = (process.env['KAFKA_BROKERS'] ?? `127.0.0.1:${process.env['KAFKA_PORT'] ?? '9092'}`).split(',');
  const producer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    const messages = events.map((event) => ({ key: String(event['userId']), value: JSON.stringify(event) }));
    const sent = await producer.send({ topic: purchases.topic.name, messages });
    return sent.map(({ partition, baseOffset = '' }) => ({ partition, offset: baseOffset }));
  } finally {
    await producer.disconnect();
  }
}
