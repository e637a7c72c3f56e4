import { anonymous } from '@millrace/runtime';
import { describe, expect, it } from 'vitest';
import { PurchaseError, type PurchaseErrorCode } from '../errors.ts';
import { MemoryReceipts } from '../testing/memory-receipts.ts';
import { eventIdOfKey } from './event-id-of-key.ts';
import { IdempotentAnswers, type KeyedAnswer, type KeyedRequest, type KeyedResult, type Verdict } from './idempotent-answers.ts';

interface Receipt {
  readonly eventId: string;
  readonly offset: number;
}

const name = { principal: anonymous, stream: 'purchases', key: 'order-1' };
const request: KeyedRequest = { ...name, route: '/v1/purchases', body: { title: 'Orlando' } };

const failing = (code: PurchaseErrorCode) => async (): Promise<never> => await Promise.reject(new PurchaseError(code, code));

/** Answers whose work gives the next offset at each run. */
function setUp(store: MemoryReceipts | undefined = new MemoryReceipts()) {
  const results: KeyedResult[] = [];
  const answers = new IdempotentAnswers({ store, onResult: (result) => results.push(result) });
  let offset = 0;
  const send = async (
    given: Partial<KeyedRequest> = {},
    verdict: Verdict = 'keep',
    before: () => Promise<void> = async () => await Promise.resolve(),
  ): Promise<KeyedAnswer<Receipt>> =>
    await answers.answer(
      { ...request, ...given },
      async (eventIdOf) => {
        await before();
        offset += 1;
        return { eventId: eventIdOf(), offset };
      },
      () => verdict,
    );
  return { store, results, answers, send };
}

describe('IdempotentAnswers', () => {
  it('a request with a key gets the event id of its key', async () => {
    const { send, results } = setUp();
    expect(await send()).toEqual({ answer: { eventId: eventIdOfKey(name), offset: 1 }, isReplayed: false, isKept: true });
    expect(results).toEqual(['first']);
  });

  it('a repeated request gets the first receipt again', async () => {
    const { send, results } = setUp();
    const { answer } = await send();
    expect(await send()).toEqual({ answer, isReplayed: true, isKept: true });
    expect(results).toEqual(['first', 'replayed']);
  });

  it.each([
    ['another body', { body: { title: 'Flush' } }],
    ['another route', { route: '/v1/purchases/batch' }],
  ])('a request with %s under a used key is refused before its work begins', async (_what, given) => {
    const { send, results } = setUp();
    await send();
    await expect(send(given)).rejects.toMatchObject({ code: 'idempotency-conflict', details: { errors: [{ field: 'Idempotency-Key' }] } });
    expect(results).toEqual(['first', 'conflict']);
    expect((await send({ key: 'order-2' })).answer.offset).toBe(2);
  });

  it('a request with another body is refused while the first request under its key still runs', async () => {
    const { send } = setUp();
    const gate = Promise.withResolvers<void>();
    const first = send({}, 'keep', async () => await gate.promise);
    await expect(send({ body: 1 })).rejects.toMatchObject({ code: 'idempotency-conflict' });
    gate.resolve();
    expect((await first).isKept).toBe(true);
  });

  it('a request shares its receipt with the same request that ran at the same time', async () => {
    const { send, results } = setUp();
    const gate = Promise.withResolvers<void>();
    const both = [send({}, 'keep', async () => await gate.promise), send({}, 'keep', async () => await gate.promise)];
    gate.resolve();
    const [one, other] = await Promise.all(both);
    expect(one!.answer).toEqual(other!.answer);
    expect(results.toSorted()).toEqual(['first', 'replayed']);
    expect((await send()).answer).toEqual(one!.answer);
  });

  it('a request runs again after an error that may pass, under the same event id', async () => {
    const { send, results } = setUp();
    await expect(send({}, 'keep', failing('unavailable'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(send({ body: 1 })).rejects.toMatchObject({ code: 'idempotency-conflict' });
    expect((await send()).answer).toEqual({ eventId: eventIdOfKey(name), offset: 1 });
    expect(results).toEqual(['failed', 'conflict', 'first']);
  });

  it('a request may be corrected under the same key after its body was refused', async () => {
    const { send } = setUp();
    await expect(send({ body: 1 }, 'keep', failing('validation'))).rejects.toMatchObject({ code: 'validation' });
    expect((await send()).isKept).toBe(true);
    await send({ key: 'batch', body: 1 }, 'release');
    expect((await send({ key: 'batch', body: 2 })).isKept).toBe(true);
  });

  it('an answer that a repetition could improve is not kept', async () => {
    const { send, results } = setUp();
    expect(await send({}, 'repeat')).toMatchObject({ isKept: false });
    expect(await send()).toMatchObject({ isReplayed: false, answer: { offset: 2 } });
    expect(results).toEqual(['failed', 'first']);
  });
});

describe('IdempotentAnswers without the store', () => {
  it('a request without the store gets the event id of its key, and its answer says that no receipt is kept', async () => {
    const { store, send, results } = setUp();
    store.isAway = true;
    const eventId = eventIdOfKey(name);
    expect(await send()).toEqual({ answer: { eventId, offset: 1 }, isReplayed: false, isKept: false });
    expect(await send()).toEqual({ answer: { eventId, offset: 2 }, isReplayed: false, isKept: false });
    expect(results).toEqual(['unavailable', 'unavailable']);
  });

  it('a request keeps its receipt when the store is back before its end', async () => {
    const { store, send } = setUp();
    store.isAway = true;
    const { answer } = await send({}, 'keep', async () => {
      store.isAway = false;
      await Promise.resolve();
    });
    expect(await send()).toEqual({ answer, isReplayed: true, isKept: true });
  });

  it('a request keeps no receipt when the store that is back knows its key for another body', async () => {
    const { store, send } = setUp();
    await send({ body: 'first' });
    store.isAway = true;
    const late = await send({ body: 'second' }, 'keep', async () => {
      store.isAway = false;
      await Promise.resolve();
    });
    expect(late).toMatchObject({ isKept: false, isReplayed: false });
    expect(await send({ body: 'first' })).toMatchObject({ isReplayed: true });
    await expect(send({ body: 'second' })).rejects.toMatchObject({ code: 'idempotency-conflict' });
  });

  it('a request whose body is refused leaves the receipt of another body alone', async () => {
    const { store, send } = setUp();
    const { answer } = await send();
    store.isAway = true;
    const back = async (): Promise<never> => {
      store.isAway = false;
      return await failing('validation')();
    };
    await expect(send({ body: 1 }, 'keep', back)).rejects.toMatchObject({ code: 'validation' });
    expect(await send()).toEqual({ answer, isReplayed: true, isKept: true });
  });

  it('a service that has no store gives the event id of the key and keeps no receipt', async () => {
    const results: KeyedResult[] = [];
    const answers = new IdempotentAnswers({ store: undefined, onResult: (result) => results.push(result) });
    const answer = async (): Promise<KeyedAnswer<string>> =>
      await answers.answer(
        request,
        async (eventIdOf) => await Promise.resolve(eventIdOf(2)),
        () => 'keep',
      );
    expect(await answer()).toEqual({ answer: eventIdOfKey(name, 2), isReplayed: false, isKept: false });
    expect(results).toEqual(['unavailable']);
  });
});
