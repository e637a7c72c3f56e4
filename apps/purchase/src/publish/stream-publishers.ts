import type { Stream } from '@millrace/contracts';
import type { Delivery } from './delivery.ts';
import type { EventMessage } from './event-message.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { KafkaWriter } from './kafka-writer.ts';
import type { PublishLimits } from './publish-call.ts';
import type { Publisher } from './publisher.ts';

/** The publisher of one stream and its topic. */
export interface StreamWay {
  readonly stream: Stream;
  readonly writer: Pick<KafkaWriter, 'check' | 'close'>;
  readonly publisher: Publisher;
}

/**
 * The publishers of all streams. Each has its own producer, queue and limits: a topic that is missing or refuses its events does not hold
 * up the events of another.
 */
export class StreamPublishers implements EventPublisher {
  readonly #ways: ReadonlyMap<string, StreamWay>;

  constructor(ways: readonly StreamWay[]) {
    this.#ways = new Map(ways.map((way) => [way.stream.name, way]));
  }

  get all(): readonly StreamWay[] {
    return [...this.#ways.values()];
  }

  /** @throws TypeError when there is no such stream */
  of(stream: string): StreamWay {
    const way = this.#ways.get(stream);
    if (way === undefined) throw new TypeError(`There is no stream "${stream}".`);
    return way;
  }

  /** Why no stream takes events now; undefined while any does. */
  get downCause(): unknown {
    const causes = this.all.map(({ publisher }) => publisher.downCause);
    return causes.includes(undefined) ? undefined : causes[0];
  }

  start(): void {
    for (const { publisher } of this.all) publisher.start();
  }

  /** Publishes messages of one stream: the first message decides it. */
  async publish(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]> {
    const [first] = messages;
    return first === undefined ? [] : await this.of(first.stream).publisher.publish(messages, limits);
  }

  /**
   * Asks Kafka for the topic of each stream.
   *
   * @returns a sentence for people
   * @throws when no stream can be published
   */
  async check(signal: AbortSignal): Promise<string> {
    const checks = await Promise.allSettled(this.all.map(async (way) => await checkWay(way, signal)));
    const well = checks.filter((check) => check.status === 'fulfilled').map(({ value }) => value);
    if (well.length === 0) throw (checks[0] as PromiseRejectedResult).reason;
    return well.join('; ');
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(async ({ publisher }) => await publisher.close()));
    for (const { writer } of this.all) writer.close();
  }
}

/** Asks Kafka for the topic of one stream. @throws when the stream cannot be published */
export async function checkWay({ publisher, writer }: StreamWay, signal: AbortSignal): Promise<string> {
  if (publisher.downCause !== undefined) throw publisher.downCause;
  return await writer.check(signal);
}
