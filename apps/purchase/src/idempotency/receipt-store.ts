import type { Pipeline } from '@millrace/resilience';
import type { RedisClient } from '@millrace/redis';

/** Prefix of the keys in Redis. */
const keyPrefix = 'millrace:receipt:';
const bodyField = 'body';

/** The first request of a key, as the store knows it. */
export interface KnownRequest {
  /** Fingerprint of its body. */
  readonly fingerprint: string;
  /** Its receipt, if its body is that of this request and its receipt is kept already. */
  readonly receipt: Buffer | undefined;
}

/** Limits of a {@link RedisReceiptStore}. */
export interface ReceiptStoreLimits {
  /** Time for which a receipt is kept after the last request of its key, in seconds. */
  readonly seconds: number;
  /** Largest receipt that is kept, in bytes. */
  readonly bytesMax: number;
}

/** Keeps the first receipt of each key. No method throws: without an answer of the store it returns undefined. */
export interface ReceiptStore {
  /** Marks the key as used by a request with this body, unless it is used already. Returns its first request. */
  claim(id: string, fingerprint: string): Promise<KnownRequest | undefined>;
  /** Keeps the receipt, unless one is kept already. Returns the first request with its receipt. */
  keep(id: string, fingerprint: string, receipt: Buffer): Promise<KnownRequest | undefined>;
  /** Returns the receipt of the first request of a key. `null`: the store has none. */
  find(id: string): Promise<Buffer | null | undefined>;
  /** Forgets a key of which no event is kept. */
  release(id: string): Promise<void>;
}

/**
 * Receipts in Redis. A key has one hash: the fingerprint of its first body, and a receipt in a field named after the body. `HSETNX` makes
 * the first
 * one win. A receipt of another body, which only a request that could not claim its key can write, is never read.
 */
export class RedisReceiptStore implements ReceiptStore {
  readonly #redis: RedisClient;
  readonly #pipeline: Pipeline;
  readonly #limits: ReceiptStoreLimits;

  /** @param pipeline one that is silent where it fails */
  constructor(redis: RedisClient, pipeline: Pipeline, limits: ReceiptStoreLimits) {
    this.#redis = redis;
    this.#pipeline = pipeline;
    this.#limits = limits;
  }

  async claim(id: string, fingerprint: string): Promise<KnownRequest | undefined> {
    return await this.#write('claim', id, fingerprint);
  }

  async keep(id: string, fingerprint: string, receipt: Buffer): Promise<KnownRequest | undefined> {
    if (receipt.length > this.#limits.bytesMax) return undefined;
    return await this.#write('keep', id, fingerprint, receipt);
  }

  async find(id: string): Promise<Buffer | null | undefined> {
    const found = await this.#pipeline.execute(
      async () => {
        const fields = await this.#redis.hgetallBuffer(keyPrefix + id);
        return fields[`receipt:${fields[bodyField]?.toString() ?? ''}`] ?? null;
      },
      { key: 'find', idempotent: true },
    );
    // The silent fallback answers undefined.
    return found as Buffer | null | undefined;
  }

  async release(id: string): Promise<void> {
    await this.#pipeline.execute(async () => await this.#redis.del(keyPrefix + id), { key: 'release', idempotent: true });
  }

  async #write(call: string, id: string, fingerprint: string, receipt?: Buffer): Promise<KnownRequest | undefined> {
    const key = keyPrefix + id;
    const receiptField = `receipt:${fingerprint}`;
    const known = await this.#pipeline.execute(
      async () => {
        const transaction = this.#redis.multi().hsetnx(key, bodyField, fingerprint);
        if (receipt !== undefined) transaction.hsetnx(key, receiptField, receipt);
        const replies = await transaction.expire(key, this.#limits.seconds).hmgetBuffer(key, bodyField, receiptField).exec();
        const [error, fields] = replies!.at(-1)!;
        // Memory that is full refuses the writes, and then the transaction as a whole.
        if (error !== null) throw error;
        const [first, kept] = fields as [Buffer, Buffer | null];
        return { fingerprint: first.toString(), receipt: kept ?? undefined };
      },
      { key: call, idempotent: true },
    );
    // The silent fallback answers undefined.
    return known as KnownRequest | undefined;
  }
}
