import type { BatchAnswer, DiskItem, EventReceipt, EventWay, KafkaItem, PurchaseRequest } from '../api-types.ts';
import { Connection, expectSuccess, type CallOptions, type ClientOptions, type Request } from '../connection.ts';
import { errorOfProblem, MillraceError } from '../errors.ts';

/** Options of a {@link PurchaseClient}. */
export interface PurchaseClientOptions extends ClientOptions {
  /** Makes the id of an event, a UUID. Default: `crypto.randomUUID`. */
  readonly newEventId?: () => string;
}

/** Options of {@link PurchaseClient.post}. */
export interface PostOptions extends CallOptions {
  /**
   * `Idempotency-Key` of the request, 1–255 visible ASCII characters. The service derives the event id from it, so a repetition by another
   * process is the same purchase, too. Default: none; the client makes an `eventId`, so only its own retries are the same purchase.
   */
  readonly idempotencyKey?: string;
}

/** The fate of one purchase of a batch. */
export type PurchaseOutcome =
  | { readonly accepted: true; readonly eventId: string; readonly receipt: EventReceipt }
  | { readonly accepted: false; readonly eventId: string; readonly error: MillraceError };

/** Client of the purchase API. */
export class PurchaseClient {
  readonly #connection: Connection;
  readonly #newEventId: () => string;

  constructor(options: PurchaseClientOptions) {
    this.#connection = new Connection('purchase-api', options);
    this.#newEventId = options.newEventId ?? (() => crypto.randomUUID());
  }

  /**
   * Posts one purchase. It resolves when the purchase is durable. Each attempt has the same `eventId`, so a purchase that is sent twice
   * counts once.
   *
   * @throws MillraceError `problem`, `unreachable` or `timeout`. After a retryable one the purchase may be durable: post it again with the
   * same `eventId` or `idempotencyKey`
   */
  async post(purchase: PurchaseRequest, { idempotencyKey, signal }: PostOptions = {}): Promise<EventReceipt> {
    // An `eventId` in the body wins over the key, so the client makes none beside a key.
    const body = idempotencyKey === undefined ? this.identify(purchase) : purchase;
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return await this.#connection.ask({ method: 'POST', path: '/v1/purchases', headers, body }, { signal });
  }

  /**
   * Posts a batch. Purchases that failed in a way that may pass are sent again; those that were accepted are not.
   *
   * @param purchases 1 to 10,000 purchases, at most 8 MiB of JSON, unless the service has other limits
   * @returns one outcome for each purchase, in order
   * @throws MillraceError when the service did not judge the purchases one by one; then none is known to be durable
   */
  async postBatch(purchases: readonly PurchaseRequest[], { signal }: CallOptions = {}): Promise<readonly PurchaseOutcome[]> {
    const identified = purchases.map((purchase) => this.identify(purchase));
    const outcomes: (PurchaseOutcome | undefined)[] = identified.map(() => undefined);
    let pending = [...identified.keys()];
    try {
      await this.#connection.call(
        async (send, attemptSignal) => {
          const request: Request = { method: 'POST', path: '/v1/purchases/batch', body: pending.map((index) => identified[index]!) };
          const answer = await send(request);
          // A timed-out attempt must not change the items that the next attempt sends.
          attemptSignal.throwIfAborted();
          const items = isBatchAnswer(answer.body) ? answer.body.items : (expectSuccess(request, answer).body as BatchAnswer).items;
          const sent = pending;
          for (const item of items) {
            const index = sent[item.index]!;
            const { eventId } = identified[index]!;
            outcomes[index] =
              'problem' in item
                ? { accepted: false, eventId, error: errorOfProblem(item.problem) }
                : { accepted: true, eventId, receipt: receiptOf(item) };
          }
          const errors = sent.flatMap((index) => {
            const outcome = outcomes[index]!;
            return outcome.accepted || !outcome.error.retryable ? [] : [{ index, error: outcome.error }];
          });
          pending = errors.map(({ index }) => index);
          if (errors.length > 0) throw retryError(errors.map(({ error }) => error));
        },
        { signal },
      );
    } catch (error) {
      signal?.throwIfAborted();
      // Every purchase has its own answer: the error only ended the repetition of some.
      if (outcomes.includes(undefined)) throw error;
    }
    return outcomes as PurchaseOutcome[];
  }

  /**
   * Follows a purchase: how far it has come, and when.
   *
   * @param event the receipt, whose link spares the service a search of the topic, or the id of the event
   * @throws MillraceError `problem` with status 404 when the service does not find the event
   */
  async follow(event: string | EventReceipt, { signal }: CallOptions = {}): Promise<EventWay> {
    const path = typeof event === 'string' ? `/v1/purchases/${encodeURIComponent(event)}` : event.links.self;
    return await this.#connection.ask({ method: 'GET', path }, { signal });
  }

  /** The purchase with an `eventId`: its own, or a new one. */
  identify(purchase: PurchaseRequest): PurchaseRequest & { readonly eventId: string } {
    return { ...purchase, eventId: purchase.eventId ?? this.#newEventId() };
  }
}

function isBatchAnswer(body: unknown): body is BatchAnswer {
  return typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items);
}

function receiptOf({ index: _index, status: _status, ...place }: KafkaItem | DiskItem): EventReceipt {
  const query = place.durability === 'kafka' ? `?partition=${place.partition}&offset=${place.offset}` : '';
  return { ...place, links: { self: `/v1/purchases/${place.eventId}${query}` } };
}

function retryError(errors: readonly MillraceError[]): MillraceError {
  const retryAfterMs = Math.max(...errors.map((error) => error.retryAfterMs ?? 0));
  return new MillraceError('problem', `${errors.length} purchases were not accepted: ${errors[0]!.message}`, {
    status: errors[0]!.status,
    problem: errors[0]!.problem,
    retryAfterMs,
    retryable: true,
  });
}
