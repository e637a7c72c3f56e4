import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Numbers of the requests, in versions without tagged fields. */
const requests = {
  produce: [0, 7],
  findCoordinator: [10, 1],
  initProducerId: [22, 1],
  addPartitionsToTxn: [24, 1],
  endTxn: [26, 1],
} as const;

/** The identity of a producer, assigned by a broker. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
}

/**
 * Produces batches that a test has encoded byte by byte, to a broker that leads every partition and coordinates every transaction.
 * Requests are sent one after the other.
 */
export class RawProducer {
  readonly #socket: Socket;
  readonly #closed = new AbortController();
  #correlation = 0;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.once('close', () => this.#closed.abort(new Error('the broker closed the connection')));
  }

  static async connect(broker: string): Promise<RawProducer> {
    const [host, port] = broker.split(':');
    const socket = connect({ host: host!, port: Number(port) });
    await once(socket, 'connect');
    return new RawProducer(socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * Produces one batch.
   *
   * @returns the offset of its first record
   */
  async produce(topic: string, partition: number, batch: Buffer, transactionalId: string | null = null): Promise<number> {
    const answer = await this.#ask('produce', [
      text(transactionalId),
      int16(-1),
      int32(30_000),
      int32(1),
      text(topic),
      int32(1),
      int32(partition),
      int32(batch.length),
      batch,
    ]);
    // responses: count, topic, count, partition, error code, base offset.
    const at = 4 + 2 + Buffer.byteLength(topic) + 4 + 4;
    refuse('Produce', answer.readInt16BE(at));
    return Number(answer.readBigInt64BE(at + 2));
  }

  /** Starts a transactional producer under an id. */
  async initTransactions(transactionalId: string): Promise<ProducerIdentity> {
    return await retried(async () => {
      // Only this request makes a new cluster create the topic of its transaction coordinators.
      const found = await this.#ask('findCoordinator', [text(transactionalId), Buffer.from([1])]);
      refuse('FindCoordinator', found.readInt16BE(4));
      const answer = await this.#ask('initProducerId', [text(transactionalId), int32(60_000)]);
      refuse('InitProducerId', answer.readInt16BE(4));
      return { producerId: answer.readBigInt64BE(6), epoch: answer.readInt16BE(14) };
    });
  }

  /** Names a partition that the open transaction will write to. */
  async addToTransaction(
    transactionalId: string,
    { producerId, epoch }: ProducerIdentity,
    topic: string,
    partition: number,
  ): Promise<void> {
    await retried(async () => {
      const answer = await this.#ask('addPartitionsToTxn', [
        text(transactionalId),
        int64(producerId),
        int16(epoch),
        int32(1),
        text(topic),
        int32(1),
        int32(partition),
      ]);
      refuse('AddPartitionsToTxn', answer.readInt16BE(4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4));
    });
  }

  async endTransaction(transactionalId: string, { producerId, epoch }: ProducerIdentity, commit: boolean): Promise<void> {
    await retried(async () => {
      const answer = await this.#ask('endTxn', [text(transactionalId), int64(producerId), int16(epoch), Buffer.from([commit ? 1 : 0])]);
      refuse('EndTxn', answer.readInt16BE(4));
    });
  }

  async #ask(name: keyof typeof requests, fields: readonly Buffer[]): Promise<Buffer> {
    this.#correlation += 1;
    const [key, version] = requests[name];
    const body = Buffer.concat([int16(key), int16(version), int32(this.#correlation), text('raw-producer'), ...fields]);
    this.#socket.write(Buffer.concat([int32(body.length), body]));
    while (this.#received.length < 4 || this.#received.length < 4 + this.#received.readInt32BE(0)) {
      const [chunk] = (await once(this.#socket, 'data', { signal: this.#closed.signal })) as [Buffer];
      this.#received = Buffer.concat([this.#received, chunk]);
    }
    const end = 4 + this.#received.readInt32BE(0);
    const answer = this.#received.subarray(8, end);
    this.#received = this.#received.subarray(end);
    return answer;
  }
}

/** A broker refused a request. */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal';
  /** Kafka's error code. */
  readonly code: number;

  constructor(request: string, code: number) {
    super(`the broker refuses ${request} with error ${code}`);
    this.code = code;
  }
}

// The coordinator loads, or has not finished the transaction before.
const passing = new Set([14, 15, 16, 51]);

// With the pause of 20 ms, these take at least 30 s.
const attemptsMax = 1500;

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof BrokerRefusal) || !passing.has(error.code) || attempt === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function refuse(request: string, code: number): void {
  if (code !== 0) throw new BrokerRefusal(request, code);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function text(value: string | null): Buffer {
  if (value === null) return int16(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
