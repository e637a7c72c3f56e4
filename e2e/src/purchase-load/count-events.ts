import { setTimeout as pause } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import { isClean, type Verdict } from '../proof/compare.ts';
import type { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { stack } from '../stack.ts';
import { findDisorder, type OrderFindings } from './key-order.ts';
import type { PurchaseTraffic } from './purchase-traffic.ts';

/** Everything counted at the end of a proof. */
export interface CountedEvents {
  readonly verdict: Verdict;
  /** Records of the topic that repeat an earlier one. */
  readonly repeated: number;
  readonly disorder: OrderFindings;
}

const landMsMax = 120_000;

/** Waits until the sink has landed everything, and counts the events in the topic and in the table. */
export async function countEvents(traffic: PurchaseTraffic, numbers: EventNumbers): Promise<CountedEvents> {
  const s3 = new S3Client({ endpoint: stack.awsUrl, forcePathStyle: true, maxAttempts: 5 });
  try {
    const judge = new Judge({
      s3,
      bucket: stack.bucket,
      table: purchases.table,
      brokers: stack.kafkaBrokers.split(','),
      topic: stack.topic,
      partitions: purchases.topic.partitions,
      numbers,
    });
    const late = performance.now() + landMsMax;
    let verdict: Verdict;
    do {
      await pause(1000);
      verdict = await judge.verdict((number) => traffic.isAcknowledged(number), traffic.sent);
    } while (!isClean(verdict) && performance.now() < late);
    const distinct = new Set(judge.log.flat().filter((number) => !Number.isNaN(number))).size;
    return {
      verdict,
      repeated: verdict.logRecords - distinct,
      disorder: findDisorder(judge.log, (number) => traffic.buyerOf(number), traffic.times),
    };
  } finally {
    s3.destroy();
  }
}
