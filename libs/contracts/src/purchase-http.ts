import type { Problem } from './problem.ts';

/** Receipt of a purchase in the topic, on every in-sync replica. */
export interface KafkaReceipt {
  readonly eventId: string;
  readonly durability: 'kafka';
  readonly topic: string;
  readonly partition: number;
  /** Offset as a decimal string: it is a 64-bit number. */
  readonly offset: string;
}

/** Receipt of a purchase in the outbox on the disk of the instance. It is published when Kafka is back and has no offset yet. */
export interface DiskReceipt {
  readonly eventId: string;
  readonly durability: 'disk';
}

/** Answer to an accepted purchase: where it is durable. */
export type PurchaseReceipt = KafkaReceipt | DiskReceipt;

/** Answer to one item that was accepted. */
export type AcceptedItem = PurchaseReceipt & {
  /** Position in the posted array, from 0. */
  readonly index: number;
  readonly status: 202;
};

/** Answer to one item that was not accepted. */
export interface RejectedItem {
  /** Position in the posted array, from 0. */
  readonly index: number;
  readonly status: Problem['status'];
  readonly eventId?: string;
  readonly problem: Problem;
}

/** One item of a batch answer. */
export type BatchItem = AcceptedItem | RejectedItem;

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
