import type { PartitionBatch, PartitionOutcome, SendOutcome, TopicWriter, WriterSession } from '../publish/topic-writer.ts';

interface Outstanding {
  readonly batches: readonly PartitionBatch[];
  readonly resolve: (outcome: SendOutcome) => void;
}

/**
 * A writer that keeps a log per partition, as Kafka does. It records each call in one ordered list and answers when the test says so.
 * A send during another one, or on a closed session, is an error.
 */
export class RecordingWriter implements TopicWriter {
  readonly effects: string[] = [];
  /** Event ids by partition, in the order of the log. */
  readonly logs: string[][];
  /** If set, opening fails with this error. */
  openError: Error | undefined;
  /** If set, opening first waits for this promise. */
  openAfter: Promise<void> | undefined;
  /** Most events the "broker" takes in one batch that holds an event of this id; none by default. */
  tooLarge: ReadonlySet<string> = new Set();
  /** Partitions that Kafka names. */
  partitions: number;
  #sessions = 0;
  #outstanding: Outstanding | undefined;

  constructor(partitions: number) {
    this.partitions = partitions;
    this.logs = Array.from({ length: partitions }, () => []);
  }

  get isSending(): boolean {
    return this.#outstanding !== undefined;
  }

  async open(signal: AbortSignal): Promise<WriterSession> {
    await this.openAfter;
    signal.throwIfAborted();
    if (this.openError !== undefined) {
      this.effects.push('open fails');
      throw this.openError;
    }
    this.#sessions += 1;
    const id = this.#sessions;
    let closed = false;
    this.effects.push(`open ${id}`);
    return {
      partitions: this.partitions,
      refresh: async () => {
        this.effects.push(`refresh ${id}`);
        return await Promise.resolve(this.partitions);
      },
      send: async (batches) => {
        if (closed) throw new Error(`session ${id} is closed`);
        if (this.#outstanding !== undefined) throw new Error('another send is outstanding');
        this.effects.push(
          `send ${id} ${batches.map(({ partition, messages }) => `${partition}:${messages.map(({ eventId }) => eventId).join('+')}`).join(' ')}`,
        );
        return await new Promise<SendOutcome>((resolve) => {
          this.#outstanding = { batches, resolve };
        });
      },
      close: () => {
        closed = true;
        this.effects.push(`close ${id}`);
      },
    };
  }

  /** Answers the outstanding send: batches are written unless `outcomes` says otherwise for their partition. */
  answer(outcomes: Readonly<Record<number, PartitionOutcome>> = {}): void {
    const { batches, resolve } = this.#outstanding!;
    this.#outstanding = undefined;
    resolve(new Map(batches.map((batch) => [batch.partition, outcomes[batch.partition] ?? this.#write(batch)])));
  }

  #write({ partition, messages }: PartitionBatch): PartitionOutcome {
    if (messages.some(({ eventId }) => this.tooLarge.has(eventId))) return { kind: 'too-large', cause: new Error('too large') };
    const log = (this.logs[partition] ??= []);
    const baseOffset = BigInt(log.length);
    log.push(...messages.map(({ eventId }) => eventId));
    return { kind: 'written', baseOffset };
  }
}
