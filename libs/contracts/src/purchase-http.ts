import type { Problem } from './problem.ts';

/** Answer to an accepted purchase: where it is kept. */
export interface PurchaseReceipt {
  readonly eventId: string;
  /** `kafka`: in the topic, on every in-sync replica. `queued`: in the outbox, published when Kafka is back. */
  readonly durability: 'kafka' | 'queued';
  /** Only with `kafka`. */
  readonly topic?: string;
  readonly partition?: number;
  /** Offset as a decimal string: it is a 64-bit number. */
  readonly offset?: string;
}

/** One item of a batch answer: a receipt or a problem. */
export interface BatchItem extends Partial<PurchaseReceipt> {
  /** Position in the posted array, from 0. */
  readonly index: number;
  readonly status: number;
  readonly problem?: Problem;
}

/** Answer to a posted batch. */
export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly items: readonly BatchItem[];
}

/** Limits of the purchase API. */
export const purchaseLimits = {
  /** Largest body in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Most items in one batch. */
  batchItemsMax: 1000,
} as const;
