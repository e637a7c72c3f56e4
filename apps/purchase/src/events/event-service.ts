import { setImmediate } from 'node:timers/promises';
import { followTemplateOf, type BatchAnswer, type BatchItem, type EventReceipt, type Stream } from '@millrace/contracts';
import { BadLine } from '../batch/ndjson-lines.ts';
import { PurchaseError } from '../errors.ts';
import type { Verdict } from '../idempotency/idempotent-answers.ts';
import { errorOf, placeOf, receiptOf } from './delivery-answers.ts';
import { eventReaderOf, type ReadEvent } from './event-reader.ts';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { EventPublisher } from '../publish/event-publisher.ts';
import { messageMakerOf, type EventMessage, type MakeMessage } from '../publish/event-message.ts';

/** Items that are read in one turn of the event loop: about 5 ms of work. */
const itemsPerTurn = 500;

/** An item of a batch: its message, or the reason why it has none. */
type ReadItem = { readonly index: number; readonly message: EventMessage } | { readonly index: number; readonly error: PurchaseError };

/** Dependencies and limits of the service. */
export interface EventServiceOptions {
  readonly stream: Stream;
  readonly publisher: EventPublisher;
  /** Partitions of the topic now. Default: those of the contract. */
  readonly partitions?: () => number;
  readonly batchItemsMax: number;
  /** Makes a UUIDv7. */
  readonly newEventId: () => string;
  /** Called for every event that breaks the contract. */
  readonly onInvalid: () => void;
}

/** Takes the events of a request. Two implementations: the service, and {@link EventService} with a span around each send. */
export type EventTaker = Pick<EventService, 'take' | 'takeBatch'>;

/** Takes the events of one stream and answers when they are durable. */
export class EventService {
  readonly #options: EventServiceOptions;
  readonly #readEvent: ReadEvent;
  readonly #makeMessage: MakeMessage;

  constructor(options: EventServiceOptions) {
    this.#options = options;
    this.#readEvent = eventReaderOf(options.stream);
    this.#makeMessage = messageMakerOf(options.stream, options.partitions);
  }

  /**
   * @param newEventId makes the id of an event without one
   * @throws PurchaseError when the event breaks the contract, or is not kept
   */
  async take(
    body: unknown,
    traceparent: string,
    limits: PublishLimits,
    newEventId: () => string = this.#options.newEventId,
  ): Promise<EventReceipt> {
    const message = this.#messageOf(body, traceparent, limits.callerDeadline, newEventId);
    const [delivery] = await this.#options.publisher.publish([message], limits);
    if (delivery!.kind === 'failed') throw errorOf(delivery!);
    return receiptOf(delivery!, this.#options.stream);
  }

  /**
   * Accepts a batch and answers each item separately.
   *
   * @param newEventId makes the id of an item without one
   * @throws PurchaseError `validation` when it is not an array of 1 to `batchItemsMax` items
   */
  async takeBatch(
    body: unknown,
    traceparent: string,
    limits: PublishLimits,
    newEventId: (index: number) => string = this.#options.newEventId,
  ): Promise<BatchAnswer> {
    const items: ReadItem[] = [];
    for (const [index, item] of this.#itemsOf(body).entries()) {
      // Single purchases must not wait until 10,000 items are read.
      if (index > 0 && index % itemsPerTurn === 0) await setImmediate();
      items.push(this.#read(item, index, traceparent, limits.callerDeadline, () => newEventId(index)));
    }
    const messages = items.flatMap((item) => ('message' in item ? [item.message] : []));
    const deliveries = (await this.#options.publisher.publish(messages, limits)).values();
    const answers = items.map((item): BatchItem => {
      if (!('message' in item)) return problemItem(item.index, item.error);
      const delivery = deliveries.next().value!;
      return delivery.kind === 'failed'
        ? problemItem(item.index, errorOf(delivery))
        : { index: item.index, status: 202, ...placeOf(delivery, this.#options.stream.topic.name) };
    });
    const accepted = answers.filter(({ status }) => status === 202).length;
    return { accepted, rejected: answers.length - accepted, items: answers, links: { follow: followTemplateOf(this.#options.stream) } };
  }

  #itemsOf(body: unknown): unknown[] {
    const { batchItemsMax } = this.#options;
    if (!Array.isArray(body)) throw batchError('must be of type array');
    if (body.length === 0) throw batchError('must have at least 1 item', 1);
    if (body.length > batchItemsMax) throw batchError(`must have at most ${batchItemsMax} items`, batchItemsMax);
    return body as unknown[];
  }

  #read(item: unknown, index: number, traceparent: string, deadline: number | undefined, newEventId: () => string): ReadItem {
    if (item instanceof BadLine) {
      this.#options.onInvalid();
      return { index, error: new PurchaseError('invalid-json', `Line ${item.line} could not be parsed as JSON.`) };
    }
    try {
      return { index, message: this.#messageOf(item, traceparent, deadline, newEventId) };
    } catch (error) {
      if (error instanceof PurchaseError) return { index, error };
      throw error;
    }
  }

  #messageOf(body: unknown, traceparent: string, deadline: number | undefined, newEventId: () => string): EventMessage {
    try {
      return this.#makeMessage(this.#readEvent(body, newEventId), traceparent, deadline);
    } catch (error) {
      if (error instanceof PurchaseError) this.#options.onInvalid();
      throw error;
    }
  }
}

function batchError(message: string, limit?: number): PurchaseError {
  return new PurchaseError('validation', `The batch ${message}.`, {
    errors: [{ field: '', message, ...(limit === undefined ? {} : { limit }) }],
  });
}

function problemItem(index: number, error: PurchaseError): BatchItem {
  const problem = error.toProblem();
  return { index, status: problem.status, ...(problem.eventId === undefined ? {} : { eventId: problem.eventId }), problem };
}

/** The status of a batch: 202 when any item was taken; otherwise that of the items which a repetition could save, or else 400. */
export function statusOfBatch({ accepted, items }: BatchAnswer): 202 | 400 | 503 {
  if (accepted > 0) return 202;
  return items.some(({ status }) => status >= 500) ? 503 : 400;
}

/** Whether a repetition of a batch under its Idempotency-Key gets the same answer: not while it could save an item. */
export function verdictOfBatch(answer: BatchAnswer): Verdict {
  if (answer.items.some(({ status }) => status >= 500)) return 'repeat';
  return answer.accepted > 0 ? 'keep' : 'release';
}
