import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer, type PartitionAnswer, type RecordRun } from './read-answer.ts';
import { lz4BytesMax } from './record-batch/lz4-frame.ts';
import type { KafkaRecord } from './record-batch/record.ts';
import { batchBytes, markerBytes, sealBatch, varint, type BatchCodec, type RecordToEncode } from './testing/batch-bytes.ts';

const codecs: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'];

function answer(batches: readonly Buffer[], more: Partial<PartitionAnswer> = {}): PartitionAnswer {
  return { highWatermark: 1_000_000, lastStableOffset: 1_000_000, aborted: [], records: Buffer.concat(batches), ...more };
}

function read(batches: readonly Buffer[], from = 0, more: Partial<PartitionAnswer> = {}): RecordRun {
  const runs = [...readAnswer(answer(batches, more), from)];
  expect(runs.length).toBeLessThanOrEqual(1);
  return runs[0] ?? { records: [], next: from };
}

function of(baseOffset: number, producerId: bigint, value: string, transactional = true): Buffer {
  return batchBytes({ baseOffset, producerId, transactional, records: [{ value }] });
}

function plain({ offset, timestamp, key, value, headers }: KafkaRecord): unknown {
  return {
    offset,
    timestamp,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: headers.map(({ name, value: header }) => [name, header?.toString() ?? null]),
  };
}

describe('record batches', () => {
  it.each(codecs)('a batch with the codec %s is decoded', (codec) => {
    const records = Array.from({ length: 3000 }, (_, n) => ({
      key: `key ${n}`,
      value: `value ${n % 7}`,
      timestampDelta: n,
      headers: [['ce_id', `id ${n}`]] as const,
    }));
    const { records: found, next, undecodable } = read([batchBytes({ baseOffset: 40, codec, records })], 40);
    expect(undecodable).toBeUndefined();
    expect(next).toBe(3040);
    expect(found.map(plain)).toEqual(
      records.map(({ key, value, headers, timestampDelta }, n) => ({
        offset: 40 + n,
        timestamp: String(1_700_000_000_000 + timestampDelta),
        key,
        value,
        headers,
      })),
    );
  });

  it('null, empty and repeated headers keep their names and their order', () => {
    const headers = [
      ['x', null],
      ['x', ''],
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['', 'c'],
      ['x', 'd'],
    ] as const;
    const [record] = read([batchBytes({ records: [{ value: 'v', headers }] })]).records;
    expect(record!.headers.map(({ name, value }) => [name, value?.toString() ?? null])).toEqual(headers);
  });

  it('a header name that is not UTF-8 keeps its bytes', () => {
    const [record] = read([batchBytes({ records: [{ headers: [[Buffer.from([0xff, 0x61]), 'v']] }] })]).records;
    expect(record!.headers[0]).toMatchObject({ name: '\ufffda', nameBytes: Buffer.from([0xff, 0x61]) });
  });

  it('a null key or value differs from an empty one', () => {
    const { records } = read([batchBytes({ records: [{}, { key: '', value: '' }] })]);
    expect(records.map(({ key, value }) => [key?.length ?? null, value?.length ?? null])).toEqual([
      [null, null],
      [0, 0],
    ]);
  });

  it("the broker's append time is used if the topic is configured for it", () => {
    const { records } = read([batchBytes({ appendTime: true, maxTimestamp: 5n, records: [{ timestampDelta: 1 }, { timestampDelta: 2 }] })]);
    expect(records.map(({ timestamp }) => timestamp)).toEqual(['5', '5']);
  });

  it.each([
    ['-1', -1n, 0],
    ['9223372036854775807', 9_223_372_036_854_775_806n, 1],
    ['1000000000000', 0n, 1_000_000_000_000],
    ['-9223372036854775808', 0n, -(2n ** 63n)],
  ])('the timestamp %s is not rounded', (timestamp, firstTimestamp, timestampDelta) => {
    expect(read([batchBytes({ firstTimestamp, maxTimestamp: 0n, records: [{ timestampDelta }] })]).records[0]!.timestamp).toBe(timestamp);
  });

  it('records before the requested offset and offsets removed by compaction are omitted', () => {
    const compacted = batchBytes({
      baseOffset: 10,
      lastOffsetDelta: 9,
      records: [{ offsetDelta: 1 }, { offsetDelta: 4 }, { offsetDelta: 6 }],
    });
    const empty = batchBytes({ baseOffset: 20, lastOffsetDelta: 4, records: [] });
    const { records, next } = read([compacted, empty], 13);
    expect(records.map(({ offset }) => offset)).toEqual([14, 16]);
    expect(next).toBe(25);
  });
});

describe('Fetch answers', () => {
  it('the answer ends before a truncated batch', () => {
    const whole = batchBytes({ records: [{ value: 'a' }] });
    const cut = batchBytes({ baseOffset: 1, records: [{ value: 'b' }] });
    for (const length of [1, 11, 12, 40, cut.length - 1]) {
      const { records, next, undecodable } = read([whole, cut.subarray(0, length)]);
      expect([records.length, next, undecodable]).toEqual([1, 1, undefined]);
    }
  });

  it('a large answer is split into runs of limited size', () => {
    const batches = Array.from({ length: 6 }, (_, n) => batchBytes({ baseOffset: n, records: [{ value: 'x'.repeat(400) }] }));
    const runs = [...readAnswer(answer(batches), 0, 1000)];
    expect(runs.map(({ records, next }) => [records.length, next])).toEqual([
      [3, 3],
      [3, 6],
    ]);
  });

  it('transaction markers and records of aborted transactions are hidden, in any order', () => {
    const batches = [
      of(0, 1n, 'a'),
      of(1, 2n, 'b'),
      of(2, 3n, 'plain', false),
      markerBytes(3, 1n, 'abort'),
      of(4, 1n, 'c'),
      markerBytes(5, 2n, 'commit'),
      of(6, 3n, 'd'),
      markerBytes(7, 1n, 'commit'),
      markerBytes(8, 3n, 'abort'),
    ];
    const { records, next } = read(batches, 0, {
      aborted: [
        { producerId: 3n, firstOffset: 6 },
        { producerId: 1n, firstOffset: 0 },
      ],
    });
    expect(records.map(({ offset, value }) => [offset, String(value)])).toEqual([
      [1, 'b'],
      [2, 'plain'],
      [4, 'c'],
    ]);
    expect(next).toBe(9);
  });

  it('the next offset is returned even if no record is visible', () => {
    expect(
      read(
        [batchBytes({ baseOffset: 0, producerId: 1n, transactional: true, records: [{ value: 'a' }] }), markerBytes(1, 1n, 'abort')],
        0,
        { aborted: [{ producerId: 1n, firstOffset: 0 }] },
      ),
    ).toEqual({ records: [], next: 2 });
  });
});

describe('messages of older formats', () => {
  // One record of Kafka 0.10 with the key "k" and the value "v", and CRC-32 from Python's zlib.
  const body = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 9]), Buffer.from([0, 0, 0, 1, 0x6b, 0, 0, 0, 1, 0x76])]);
  const message = (offset: number, crc: number): Buffer => {
    const head = Buffer.alloc(16);
    head.writeBigInt64BE(BigInt(offset));
    head.writeInt32BE(body.length + 4, 8);
    head.writeUInt32BE(crc, 12);
    return Buffer.concat([head, body]);
  };

  it('an old message is decoded beside newer ones, and reported if its checksum is wrong', () => {
    const crc = 0x75c68f2b;
    const { records, next } = read([message(7, crc), batchBytes({ baseOffset: 8, records: [{ value: 'new' }] })], 7);
    expect(records.map(plain)).toEqual([
      { offset: 7, timestamp: '9', key: 'k', value: 'v', headers: [] },
      { offset: 8, timestamp: '1700000000000', key: null, value: 'new', headers: [] },
    ]);
    expect(next).toBe(9);
    expect(read([message(7, crc ^ 1)], 7).undecodable).toMatchObject({ from: 7, code: 'bad-checksum' });
  });
});

describe('undecodable batches', () => {
  const before = batchBytes({ records: [{ value: 'before' }] });
  const records: readonly RecordToEncode[] = [{ value: 'a' }, { value: 'b' }];
  const corrupt = batchBytes({ baseOffset: 1, records });
  corrupt[corrupt.length - 1]! ^= 1;
  const tooLong = Buffer.concat([varint(40), Buffer.alloc(4)]);
  const bomb = batchBytes({ baseOffset: 1, codec: 'gzip', body: gzipSync(Buffer.alloc(33 * 1024 * 1024)), records });
  const behind = batchBytes({ baseOffset: 3, records: [{ value: 'behind' }] });

  it.each([
    ['unknown-codec', 'unknown compression codec 5', batchBytes({ baseOffset: 1, codecNumber: 5, records })],
    ['unknown-codec', 'unknown compression codec 7', batchBytes({ baseOffset: 1, codecNumber: 7, records })],
    ['bad-checksum', 'its checksum is 0x', corrupt],
    ['bad-compression', 'its gzip compression is corrupt', batchBytes({ baseOffset: 1, codecNumber: 1, records })],
    ['bad-compression', 'its snappy compression is corrupt', batchBytes({ baseOffset: 1, codecNumber: 2, records })],
    ['bad-compression', 'its lz4 compression is corrupt', batchBytes({ baseOffset: 1, codecNumber: 3, records })],
    ['bad-compression', 'its zstd compression is corrupt', batchBytes({ baseOffset: 1, codecNumber: 4, records })],
    ['too-large', 'its records take more than 33554432 bytes', bomb],
    [
      'too-large',
      'its records take more than 33554432 bytes',
      batchBytes({ baseOffset: 1, codec: 'snappy', body: Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), records }),
    ],
    ['bad-header', 'its header names 3 records', batchBytes({ baseOffset: 1, count: 3, records })],
    ['bad-record', 'bytes follow the last record', batchBytes({ baseOffset: 1, count: 1, records })],
    ['bad-record', 'a record of 40 bytes', batchBytes({ baseOffset: 1, body: tooLong, records })],
    ['bad-record', 'more than 5 bytes', batchBytes({ baseOffset: 1, body: Buffer.alloc(20, 0xff), records })],
    ['bad-record', 'comes after', batchBytes({ baseOffset: 1, records: [{ offsetDelta: 1 }, { offsetDelta: 0 }] })],
    ['bad-record', 'no transaction marker', batchBytes({ baseOffset: 1, control: true, producerId: 1n, records })],
  ])('an undecodable batch is reported with its offsets and its cause: %s, %s', (code, reason, batch) => {
    const { records: found, next, undecodable } = read([before, batch, behind]);
    expect(found.map(({ value }) => String(value))).toEqual(['before']);
    expect(next).toBe(1);
    expect(undecodable).toMatchObject({ from: 1, to: code === 'bad-header' ? undefined : 3, code });
    expect(undecodable!.reason).toContain(reason);
    expect(undecodable!.bytes).toEqual(batch);
  });

  it('an undecodable batch has no end offset if its header cannot be trusted', () => {
    const untrue = batchBytes({ baseOffset: 1, lastOffsetDelta: 5000, records });
    untrue[untrue.length - 1]! ^= 1;
    expect(read([before, untrue, behind]).undecodable).toMatchObject({ from: 1, to: undefined });
    expect(read([before, corrupt], 0, { highWatermark: 2 }).undecodable).toMatchObject({ from: 1, to: undefined });
  });

  it.each([[-1], [0], [5], [1_000_000]])('a batch with the length %s ends the answer', (length) => {
    const batch = Buffer.from(corrupt);
    batch.writeInt32BE(length, 8);
    expect(read([batch], 1).undecodable).toMatchObject({ from: 1, to: undefined });
  });

  it('a batch of an aborted transaction is reported when its checksum does not confirm the producer', () => {
    const aborted = { aborted: [{ producerId: 1n, firstOffset: 0 }] };
    const unknown = batchBytes({ producerId: 1n, transactional: true, codecNumber: 5, records });
    expect(read([unknown], 0, aborted)).toEqual({ records: [], next: 2 });
    unknown[60]! ^= 1;
    expect(read([unknown], 0, aborted).undecodable).toMatchObject({ code: 'bad-checksum' });
  });

  it('a batch that the broker could not read is reported', () => {
    expect(read([], 5, { refused: 'the broker answers CORRUPT_MESSAGE' }).undecodable).toMatchObject({
      from: 5,
      to: undefined,
      reason: 'the broker answers CORRUPT_MESSAGE',
    });
  });
});

describe('arbitrary batches', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const maybe = fc.option(bytes, { nil: null });
  const name = fc.oneof(
    bytes,
    fc.constantFrom('__proto__', 'constructor', 'ce_id', '').map((text) => Buffer.from(text)),
  );
  const record = fc.record({
    key: maybe,
    value: maybe,
    timestampDelta: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    headers: fc.array(fc.tuple(name, maybe), { maxLength: 4 }),
  });
  const batch = fc.record({
    records: fc.array(record, { minLength: 1, maxLength: 8 }),
    codec: fc.constantFrom(...codecs),
    baseOffset: fc.nat(1000),
    firstTimestamp: fc.bigInt({ min: -1n, max: 2n ** 60n }),
  });

  it('each batch decodes to the records that were encoded', () => {
    fc.assert(
      fc.property(batch, (given) => {
        const { records } = read([batchBytes(given)], given.baseOffset);
        expect(
          records.map(({ offset, timestamp, key, value, headers }) => ({
            offset,
            timestamp,
            key,
            value,
            headers: headers.map((header) => [header.nameBytes ?? Buffer.from(header.name), header.value]),
          })),
        ).toEqual(
          given.records.map(({ key, value, headers, timestampDelta }, n) => ({
            offset: given.baseOffset + n,
            timestamp: String(given.firstTimestamp + timestampDelta),
            key,
            value,
            headers,
          })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('a batch with a changed byte is reported and never decoded to other records', () => {
    fc.assert(
      fc.property(batch, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, change) => {
        const whole = batchBytes(given);
        whole[16 + (place % (whole.length - 16))]! ^= change;
        const { records, next, undecodable } = read([whole], given.baseOffset);
        expect(records).toEqual([]);
        expect(next).toBe(given.baseOffset);
        expect(undecodable).toMatchObject({ from: given.baseOffset });
      }),
      { numRuns: 300 },
    );
  });

  it('invalid bytes under a valid checksum throw no error, and the offsets ascend within the range', () => {
    fc.assert(
      fc.property(batch, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(), (given, changes, cut) => {
        const whole = batchBytes(given);
        for (const [place, value] of changes) whole[place % whole.length] = value;
        const nonsense = cut % 3 === 0 ? whole.subarray(0, 21 + (cut % (whole.length - 20))) : whole;
        sealBatch(nonsense);
        let offset = -1;
        for (const run of readAnswer(answer([nonsense, whole]), 0)) {
          for (const found of run.records) {
            expect(found.offset).toBeGreaterThan(offset);
            offset = found.offset;
            expect(found.headers.every(({ value }) => value === null || Buffer.isBuffer(value))).toBe(true);
          }
          expect(run.next).toBeGreaterThan(offset);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

it('the size of an LZ4 frame with wrong sizes is bounded before decompression', () => {
  expect(() => lz4BytesMax(Buffer.from('04224d18606000', 'hex'))).toThrow('it has no end');
  expect(lz4BytesMax(Buffer.from('04224d186060000100000000000000000000', 'hex'))).toBe(255);
});
