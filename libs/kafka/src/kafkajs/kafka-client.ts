import kafkajs, { type Batch, type KafkaConfig } from 'kafkajs';
import type { PartitionAnswer } from '../read-answer.ts';
import { answerProperty } from './fetch-response.ts';
import { installDecoder } from './install-decoder.ts';

/**
 * Makes a kafkajs client whose consumers get whole answers. Run them with `eachBatch`, and read each batch through {@link answerOf}
 * and `readAnswer`: the messages of such a batch are one carrier. Producers and admins are kafkajs's own.
 */
export function kafkaClient(config: KafkaConfig): kafkajs.Kafka {
  installDecoder();
  return new kafkajs.Kafka(config);
}

/** The requested offset of a batch, and the broker's answer. */
export interface FetchedAnswer {
  readonly fetchedOffset: number;
  readonly answer: PartitionAnswer;
}

/**
 * Takes the broker's answer out of a batch of kafkajs.
 *
 * @throws Error when the client was not made by {@link kafkaClient}
 */
export function answerOf(batch: Pick<Batch, 'messages'>): FetchedAnswer {
  const [carrier] = batch.messages as unknown as readonly { readonly [answerProperty]?: PartitionAnswer }[];
  const answer = carrier?.[answerProperty];
  if (answer === undefined) throw new Error('a batch of kafkajs carries no answer: make the client with kafkaClient');
  // It exists at run time, but kafkajs's types lack it.
  return { fetchedOffset: Number((batch as unknown as { fetchedOffset: string }).fetchedOffset), answer };
}
