import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { cloudEventsVersion, headerNames, purchases } from '@millrace/contracts';
import { ProduceAcks, Producer } from '@platformatic/kafka';
import { purchaseTexts, type PurchaseText } from './purchase-texts.ts';

/** Sums over the loaded purchases, against which every result is checked. */
export interface Manifest {
  readonly rows: number;
  /** Bytes of the values, with one line break each. */
  readonly rawBytes: number;
  readonly ageSum: number;
  /** The sum of the times of more than five million events exceeds the exact range of a number. */
  readonly timestampSum: bigint;
}

/** Files with the values of the first purchases, one a line. */
export interface RawFiles {
  readonly paths: readonly string[];
  readonly rows: number;
}

// About 400 KiB a partition, as the purchase API sends under load.
const recordsPerSend = 6000;
const rawFileBytes = 64 * 1024 * 1024;
const rawRowsMax = 2_000_000;

const names = {
  id: Buffer.from(headerNames.id),
  type: Buffer.from(headerNames.type),
  source: Buffer.from(headerNames.source),
  specVersion: Buffer.from(headerNames.specVersion),
  time: Buffer.from(headerNames.time),
  contentType: Buffer.from(headerNames.contentType),
  traceparent: Buffer.from(headerNames.traceparent),
};
const type = Buffer.from(purchases.eventType);
const source = Buffer.from(purchases.eventSource);
const specVersion = Buffer.from(cloudEventsVersion);
const contentType = Buffer.from('application/json');

/**
 * Fills a topic with purchases as the purchase API sends them: key, seven headers, an idempotent producer. Writes the first two million
 * values to files of 64 MiB, too.
 */
export async function loadTopic(
  topic: string,
  rows: number,
  folder: string,
): Promise<{ readonly manifest: Manifest; readonly raw: RawFiles }> {
  const producer = new Producer({
    clientId: 'bench-sink',
    bootstrapBrokers: process.env['KAFKA_BROKERS']!.split(','),
    idempotent: true,
    acks: ProduceAcks.ALL,
    autocreateTopics: false,
  });
  const raw = new RawWriter(folder);
  const sums = { rows: 0, rawBytes: 0, ageSum: 0, timestampSum: 0n };
  try {
    let messages: ReturnType<typeof messageOf>[] = [];
    const send = async (): Promise<void> => {
      await producer.send({ messages, acks: ProduceAcks.ALL });
      messages = [];
    };
    for (const purchase of purchaseTexts(rows)) {
      const message = messageOf(topic, purchase);
      messages.push(message);
      sums.rows += 1;
      sums.rawBytes += message.value.byteLength + 1;
      sums.ageSum += purchase.age;
      sums.timestampSum += BigInt(purchase.timestamp);
      if (sums.rows <= rawRowsMax) await raw.write(purchase.json);
      if (messages.length === recordsPerSend) await send();
    }
    if (messages.length > 0) await send();
    return { manifest: sums, raw: { paths: await raw.end(), rows: Math.min(rows, rawRowsMax) } };
  } finally {
    await producer.close();
  }
}

function messageOf(topic: string, { eventId, userId, user, timestamp, json }: PurchaseText) {
  return {
    topic,
    partition: user % purchases.topic.partitions,
    key: Buffer.from(userId),
    value: Buffer.from(json),
    headers: new Map([
      [names.id, Buffer.from(eventId)],
      [names.type, type],
      [names.source, source],
      [names.specVersion, specVersion],
      [names.time, Buffer.from(new Date(timestamp * 1000).toISOString())],
      [names.contentType, contentType],
      [names.traceparent, Buffer.from(`00-${eventId.replaceAll('-', '')}-${eventId.slice(19, 23)}${eventId.slice(24)}-00`)],
    ]),
  };
}

/** Writes lines to files of a size. */
class RawWriter {
  readonly #folder: string;
  readonly #paths: string[] = [];
  #stream: WriteStream | undefined;
  #lines: string[] = [];
  #bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#lines.length < 10_000) return;
    await this.#flush();
    if (this.#bytes >= rawFileBytes) await this.#close();
  }

  async end(): Promise<readonly string[]> {
    await this.#flush();
    await this.#close();
    return this.#paths;
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    if (this.#stream === undefined) {
      this.#paths.push(join(this.#folder, `${this.#paths.length}.ndjson`));
      this.#stream = createWriteStream(this.#paths.at(-1)!);
    }
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#bytes += Buffer.byteLength(text);
    await new Promise<void>((resolve, reject) => this.#stream!.write(text, (error) => (error ? reject(error) : resolve())));
  }

  async #close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#bytes = 0;
    if (stream !== undefined) await finished(stream.end());
  }
}
