import { purchases, type EventReceipt } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { followEvent, type FollowResult, type FollowSources, type NamedPlace } from './follow-event.ts';
import type { LakePlace } from './lake-reader.ts';
import type { EventRecord } from './topic-reader.ts';

const eventId = '01a21102-d4f6-73ec-9b7c-538bae2b2eb0';
const accepted = new Date(Number.parseInt('01a21102d4f6', 16)).toISOString();
const landedAt = new Date('2026-11-30T10:00:05Z');
const registeredAt = new Date('2026-11-30T10:00:06Z');
const { signal } = new AbortController();

const recordAt = (partition: number, offset: number): EventRecord => ({
  partition,
  offset,
  timestampMs: Date.parse('2026-11-30T10:00:00Z'),
  eventTime: 1_575_121_641,
});
const batch = { id: 'b', from: 0, to: 10 };
const row: LakePlace = { verdict: 'row', batch, file: 'f.parquet', dt: '2019-11-30', landedAt };

/** Sources with known records and a ledger verdict for each offset. */
function sourcesOf(
  facts: {
    readonly records?: readonly EventRecord[];
    readonly before?: readonly EventRecord[];
    readonly lake?: Readonly<Record<number, LakePlace>>;
    readonly registered?: Date | undefined;
    readonly disk?: boolean;
    readonly receipt?: EventReceipt;
    readonly away?: readonly ('kafka' | 's3' | 'glue' | 'disk')[];
  } = {},
): FollowSources {
  const { records = [], before = [], lake = {}, registered = registeredAt, disk = false, receipt, away = [] } = facts;
  const ask = async <T>(part: 'kafka' | 's3' | 'glue' | 'disk', answer: T): Promise<T> => {
    if (away.includes(part)) throw new Error(`${part} is away`);
    return await Promise.resolve(answer);
  };
  return {
    stream: purchases,
    receiptOf: async () => await Promise.resolve(receipt),
    isInOutbox: async () => await ask('disk', disk),
    topic: {
      find: async (_id, named) => {
        const found = records.find(({ partition, offset }) => partition === named?.partition && offset === named.offset);
        return await ask('kafka', { named: found, found: found === undefined ? records : [], searched: '7 records were read' });
      },
      findBefore: async () => await ask('kafka', before),
    },
    lake: {
      placeOf: async (_partition, offset) => await ask('s3', lake[offset] ?? { verdict: 'waiting' }),
      registeredAt: async () => await ask('glue', registered),
    },
  };
}

async function follow(sources: FollowSources, named?: NamedPlace): Promise<FollowResult> {
  return await followEvent(eventId, named, sources, signal);
}

describe('followEvent', () => {
  it('the path of an event names each step of a row that queries see, with its time', async () => {
    expect(await follow(sourcesOf({ records: [recordAt(3, 5)], lake: { 5: row } }), { partition: 3, offset: 5 })).toEqual({
      kind: 'way',
      way: {
        eventId,
        status: 'queryable',
        accepted: { at: accepted },
        kafka: { topic: 'bookstore.purchases.v1', partition: 3, offset: '5', at: '2026-11-30T10:00:00.000Z', confirmed: true },
        landed: { batch: 'b', from: '0', to: '10', file: 'f.parquet', dt: '2019-11-30', at: landedAt.toISOString() },
        queryable: { database: 'bookstore', table: 'purchases', at: registeredAt.toISOString() },
        unknown: [],
        links: { self: `/v1/purchases/${eventId}?partition=3&offset=5` },
      },
    });
  });

  it.each<[string, Parameters<typeof sourcesOf>[0], string]>([
    ['an event that only the disk has', { disk: true }, 'on-disk'],
    ['an event that only the disk has while Kafka is down', { disk: true, away: ['kafka'] }, 'on-disk'],
    ['a record without a batch', { records: [recordAt(3, 5)] }, 'in-kafka'],
    [
      'a batch whose file is not published yet',
      { records: [recordAt(3, 5)], lake: { 5: { verdict: 'row', batch, file: 'f', dt: 'd' } } },
      'in-kafka',
    ],
    [
      'a missing file of an entry before the head',
      { records: [recordAt(3, 5)], lake: { 5: { verdict: 'row', batch, file: 'f', hasSuccessor: true } } },
      'lost',
    ],
    ['offsets that the ledger records as absent', { records: [recordAt(3, 5)], lake: { 5: { verdict: 'absent', batch } } }, 'lost'],
    ['a rejected record', { records: [recordAt(3, 5)], lake: { 5: { verdict: 'rejected', batch, file: 'r', landedAt } } }, 'rejected'],
    ['a day that the catalog does not know', { records: [recordAt(3, 5)], lake: { 5: row }, registered: undefined }, 'landed'],
  ])('the path of an event has a status for %s', async (_what, facts, status) => {
    const sources = sourcesOf(facts);
    const lake = 'registered' in facts! ? { ...sources.lake!, registeredAt: async () => await Promise.resolve(undefined) } : sources.lake!;
    expect(await follow({ ...sources, lake })).toMatchObject({ way: { status } });
  });

  it('the path of a record that the sink dropped continues with the record that became the row', async () => {
    const dropped: LakePlace = { verdict: 'dropped', batch: { id: 'c', from: 10, to: 20 } };
    const sources = sourcesOf({ records: [recordAt(3, 15)], before: [recordAt(3, 5)], lake: { 5: row, 15: dropped } });
    expect(await follow(sources, { partition: 3, offset: 15 })).toMatchObject({
      way: {
        status: 'duplicate',
        kafka: { offset: '15' },
        row: { partition: 3, offset: '5' },
        landed: { batch: 'b' },
        queryable: {},
        unknown: [],
      },
    });
  });

  it('the path of an event names the dropped records that a search met beside the row', async () => {
    const sources = sourcesOf({ records: [recordAt(3, 5), recordAt(3, 6)], lake: { 5: row, 6: { verdict: 'dropped', batch } } });
    expect(await follow(sources)).toMatchObject({
      way: { status: 'queryable', kafka: { offset: '5' }, duplicates: [{ partition: 3, offset: '6' }] },
    });
  });

  it('followEvent does not trust a link that names the place of another event', async () => {
    expect(await follow(sourcesOf({ records: [recordAt(3, 5)], lake: { 5: row } }), { partition: 1, offset: 1 })).toMatchObject({
      way: { kafka: { partition: 3, offset: '5' } },
    });
    expect(await follow(sourcesOf(), { partition: 1, offset: 1 })).toEqual({ kind: 'not-found', searched: '7 records were read' });
  });

  it('followEvent begins at the place of the receipt in Redis', async () => {
    const receipt: EventReceipt = { eventId, durability: 'kafka', topic: 't', partition: 3, offset: '5', links: { self: '' } };
    expect(await follow(sourcesOf({ receipt, away: ['kafka'], lake: { 5: row } }))).toMatchObject({
      way: { status: 'queryable', kafka: { partition: 3, offset: '5', confirmed: false }, unknown: [{ step: 'kafka' }] },
    });
  });
});

describe('followEvent with a part down', () => {
  it.each<[('kafka' | 's3' | 'glue' | 'disk')[], string, string[]]>([
    [['s3'], 'in-kafka', ['landed', 'queryable']],
    [['glue'], 'landed', ['queryable']],
    [['disk'], 'queryable', ['disk']],
    [['kafka'], 'queryable', ['kafka']],
    [['kafka', 's3'], 'unknown', ['kafka', 'landed', 'queryable']],
  ])('the path of an event names the steps that are unknown without %s', async (away, status, steps) => {
    const result = await follow(sourcesOf({ records: [recordAt(3, 5)], lake: { 5: row }, away }), { partition: 3, offset: 5 });
    expect(result).toMatchObject({ way: { status, unknown: steps.map((step) => ({ step })) } });
  });

  it('an event without a place is neither found nor missing while a part is down', async () => {
    expect(await follow(sourcesOf({ away: ['kafka'] }))).toMatchObject({ kind: 'unanswered' });
    expect(await follow(sourcesOf({ away: ['disk'] }))).toMatchObject({ kind: 'unanswered' });
  });

  it('a request ends when its caller leaves while a part is down', async () => {
    const caller = new AbortController();
    caller.abort(new Error('gone'));
    await expect(followEvent(eventId, undefined, sourcesOf({ away: ['kafka'] }), caller.signal)).rejects.toThrow('gone');
  });
});
