import { setTimeout as delay } from 'node:timers/promises';
import {
  streams as declared,
  type BatchAnswer,
  type EventReceipt,
  type KafkaReceipt,
  type Problem,
  type Stream,
} from '@millrace/contracts';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { type TopicMessage, waitUntil, withoutShedding } from '@millrace/testing';
import { expect } from 'vitest';
import { readPurchaseConfig } from '../config.ts';
import { serviceOptions } from '../service-options.ts';
import { seedPurchase } from './seed-purchase.ts';

/** Starts the service in this process, on a free port. */
export async function startPurchase(env: Readonly<Record<string, string>>, streams: readonly Stream[] = declared): Promise<RunningService> {
  const config = readPurchaseConfig({ LOG_LEVEL: 'error', ...withoutShedding('PURCHASE'), ...env });
  return await startService({ ...serviceOptions(config, createLogger({ name: 'purchase', level: config.LOG_LEVEL }), streams), port: 0 });
}

/** Starts the service and waits until it has connected to Kafka. On a busy machine it may refuse purchases before. */
export async function startReadyPurchase(
  env: Readonly<Record<string, string>>,
  streams: readonly Stream[] = declared,
): Promise<RunningService> {
  const service = await startPurchase(env, streams);
  await waitUntil('purchase to be ready', async () => ((await fetch(`${service.url}/health/ready`)).ok ? true : undefined), {
    timeoutMs: 30_000,
  });
  return service;
}

/** An answer, with its JSON. */
export interface Answer<T = EventReceipt & BatchAnswer & Problem> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export async function post(
  url: string,
  body: unknown,
  {
    path = '/v1/purchases',
    headers = { 'content-type': 'application/json' },
  }: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

/** Result of a load: receipts of accepted purchases, ids of refused ones, and the number of requests without an answer. */
export interface LoadResult {
  readonly receipts: EventReceipt[];
  readonly refused: string[];
  unanswered: number;
}

/** Posts purchases of many buyers over `clients` connections, each purchase once, until `stop` or until `count` are posted. */
export async function load(
  url: string,
  {
    count,
    clients = 16,
    until = new AbortController().signal,
  }: { readonly count: number; readonly clients?: number; readonly until?: AbortSignal },
): Promise<LoadResult> {
  const result: LoadResult = { receipts: [], refused: [], unanswered: 0 };
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count && !until.aborted) {
      const number = next;
      next += 1;
      try {
        const { status, body } = await post(url, seedPurchase({ userId: `user-${number % 97}` }));
        if (status === 202) result.receipts.push(body);
        else {
          result.refused.push(body.eventId ?? '');
          await delay(20);
        }
      } catch {
        result.unanswered += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return result;
}

/** Every receipt of Kafka names the offset of its event, and no event is in the topic twice. */
export function expectEachOnce(receipts: readonly EventReceipt[], messages: readonly TopicMessage[]): void {
  const places = new Map(messages.map(({ partition, offset, headers }) => [`${partition}/${offset}`, headers['ce_id']]));
  const inKafka = receipts.filter((receipt): receipt is KafkaReceipt => receipt.durability === 'kafka');
  expect(inKafka.filter(({ eventId, partition, offset }) => places.get(`${partition}/${offset}`) !== eventId)).toEqual([]);
  const ids = messages.map(({ headers }) => headers['ce_id']);
  expect(ids.length - new Set(ids).size).toBe(0);
}
