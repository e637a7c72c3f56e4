import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PurchaseRequest } from '../api-types.ts';
import { MillraceError } from '../errors.ts';
import { PurchaseBatcher, type PurchaseBatcherOptions } from './purchase-batcher.ts';
import type { PurchaseOutcome } from './purchase-client.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const clock = {
  now: () => Date.now(),
  setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
};

/** A client that records batches and answers them when the test says so. */
class ManualClient {
  readonly batches: string[][] = [];
  readonly #answers: ((fail?: unknown) => void)[] = [];

  identify(purchase: PurchaseRequest): PurchaseRequest & { readonly eventId: string } {
    return { ...purchase, eventId: purchase.eventId! };
  }

  async postBatch(purchases: readonly PurchaseRequest[]): Promise<readonly PurchaseOutcome[]> {
    this.batches.push(purchases.map(({ eventId }) => eventId!));
    await new Promise<void>((resolve, reject) => {
      this.#answers.push((fail) => (fail === undefined ? resolve() : reject(fail)));
    });
    return purchases.map(({ eventId }) => ({
      accepted: true,
      eventId: eventId!,
      receipt: { eventId: eventId!, durability: 'disk', links: { self: `/v1/purchases/${eventId!}` } },
    }));
  }

  async answer(fail?: unknown): Promise<void> {
    this.#answers.shift()!(fail);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function batcherOf(options: PurchaseBatcherOptions = {}): { client: ManualClient; batcher: PurchaseBatcher } {
  const client = new ManualClient();
  return { client, batcher: new PurchaseBatcher(client, { clock, ...options }) };
}

const purchaseOf = (eventId: string, title = 'Orlando'): PurchaseRequest =>
  ({ eventId, title, userId: 'u' }) as Partial<PurchaseRequest> as PurchaseRequest;

async function addAll(batcher: PurchaseBatcher, ids: string): Promise<void> {
  for (const id of ids) await batcher.add(purchaseOf(id));
}

describe('PurchaseBatcher', () => {
  it('the batcher sends a batch that has reached its count', async () => {
    const { client, batcher } = batcherOf({ countMax: 3 });
    await addAll(batcher, 'ab');
    expect(client.batches).toEqual([]);
    await addAll(batcher, 'c');
    expect(client.batches).toEqual([['a', 'b', 'c']]);
  });

  it('the batcher sends a batch before it exceeds its size, and sends an oversized purchase alone', async () => {
    const bytes = JSON.stringify(purchaseOf('a')).length + 1;
    const { client, batcher } = batcherOf({ bytesMax: 2 + 2 * bytes });
    await addAll(batcher, 'ab');
    expect(client.batches).toEqual([]);
    await batcher.add(purchaseOf('c', 'x'.repeat(500)));
    expect(client.batches).toEqual([['a', 'b']]);
    await addAll(batcher, 'd');
    await client.answer();
    expect(client.batches[1]).toEqual(['c']);
  });

  it('the batcher sends a batch when the age of its first purchase reaches ageMsMax', async () => {
    const { client, batcher } = batcherOf({ ageMsMax: 20 });
    await addAll(batcher, 'a');
    await vi.advanceTimersByTimeAsync(15);
    await addAll(batcher, 'b');
    await vi.advanceTimersByTimeAsync(4);
    expect(client.batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(client.batches).toEqual([['a', 'b']]);
  });

  it('the batcher sends one batch at a time', async () => {
    const { client, batcher } = batcherOf({ countMax: 2 });
    await addAll(batcher, 'abcdef');
    expect(client.batches).toEqual([['a', 'b']]);
    await client.answer();
    expect(client.batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('a producer waits while the buffer has too many purchases, and waiting purchases enter in order', async () => {
    const { client, batcher } = batcherOf({ countMax: 2, heldCountMax: 3 });
    await addAll(batcher, 'abc');
    const order: string[] = [];
    const waiting = ['d', 'e'].map(async (id) => {
      await batcher.add(purchaseOf(id));
      order.push(id);
    });
    await vi.advanceTimersByTimeAsync(100);
    expect([order, batcher.heldCount]).toEqual([[], 3]);
    await client.answer();
    await Promise.all(waiting);
    expect([order, batcher.heldCount]).toEqual([['d', 'e'], 3]);
  });

  it('a producer waits while the buffer has too many bytes', async () => {
    const bytes = JSON.stringify(purchaseOf('a')).length + 1;
    const { client, batcher } = batcherOf({ heldBytesMax: 2 * bytes });
    await addAll(batcher, 'ab');
    const onAdded = vi.fn<() => void>();
    void batcher.add(purchaseOf('c')).then(onAdded);
    await vi.advanceTimersByTimeAsync(10);
    expect(onAdded).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    await client.answer();
    expect(onAdded).toHaveBeenCalledOnce();
  });

  it('an aborted signal ends the wait of its producer', async () => {
    const { client, batcher } = batcherOf({ countMax: 1, heldCountMax: 1 });
    await addAll(batcher, 'a');
    const caller = new AbortController();
    const waiting = batcher.add(purchaseOf('b'), { signal: caller.signal });
    caller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await client.answer();
    expect([client.batches, batcher.heldCount]).toEqual([[['a']], 0]);
  });

  it('each purchase gets its outcome, even when the whole batch fails', async () => {
    const { client, batcher } = batcherOf({ countMax: 1 });
    const [first, second] = [await batcher.add(purchaseOf('a')), await batcher.add(purchaseOf('b'))];
    await client.answer();
    await client.answer(new MillraceError('unreachable', 'gone', { retryable: true }));
    expect(await first.outcome).toMatchObject({ accepted: true, receipt: { eventId: 'a' } });
    expect(await second.outcome).toMatchObject({ accepted: false, eventId: 'b', error: { code: 'unreachable' } });
  });

  it('a closed batcher sends its buffer and refuses new purchases', async () => {
    const { client, batcher } = batcherOf();
    const held = await batcher.add(purchaseOf('a'));
    const closing = batcher.close();
    expect(client.batches).toEqual([['a']]);
    await expect(batcher.add(purchaseOf('b'))).rejects.toMatchObject({ code: 'closed' });
    await client.answer();
    await closing;
    expect(await held.outcome).toMatchObject({ accepted: true });
  });

  it('an aborted batcher sends no further batch and fails each purchase', async () => {
    const all = new AbortController();
    const { client, batcher } = batcherOf({ signal: all.signal, heldCountMax: 1 });
    const held = await batcher.add(purchaseOf('a'));
    const waiting = batcher.add(purchaseOf('b'));
    all.abort(new Error('stop'));
    expect(await held.outcome).toMatchObject({ accepted: false, error: { code: 'closed' } });
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await vi.advanceTimersByTimeAsync(100);
    expect([client.batches, batcher.heldCount]).toEqual([[], 0]);
  });
});
