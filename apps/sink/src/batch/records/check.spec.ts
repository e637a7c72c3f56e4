import { purchases } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { checkOf } from './check.ts';
import { purchaseLine } from '../../simulation/parts/purchase-line.ts';

const check = checkOf(purchases, 5);

function resultOf(value: Buffer | null): ReturnType<typeof check> {
  return check({
    offset: 42,
    timestamp: '1700000000000',
    key: Buffer.from('user-1'),
    value,
    headers: [{ name: 'ce_id', value: Buffer.from('x') }],
  });
}

describe('checkOf', () => {
  it('the check makes one line of a pretty-printed record, in lower case where the contract requires it', () => {
    const value = JSON.stringify(
      JSON.parse(purchaseLine(1, { bookId: 'EC437D98-455D-4FEC-8DBE-2C2630454BDD', colour: 'red' })),
      undefined,
      2,
    );
    const result = resultOf(Buffer.from(value));
    expect(result).toMatchObject({
      kind: 'row',
      dt: '2019-12-01',
      eventTime: 1_575_208_041,
      eventId: '00000000-0000-4000-8000-000000000001',
    });
    expect(JSON.parse(result.line)).toEqual({
      _offset: 42,
      eventId: '00000000-0000-4000-8000-000000000001',
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title: 'Orlando',
      author: 'Virginia Woolf',
      genre: 'Fiction',
      userId: 'user-1',
      userCountry: 'GB',
      userAge: 24,
      purchaseTimestamp: 1_575_208_041,
    });
    expect(result.line.match(/\n/g)).toHaveLength(1);
  });

  it.each([
    ['a null value', null, 'the value is null'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'the value is not UTF-8'],
    ['text that is not JSON', Buffer.from('{"eventId":'), 'the value is not JSON'],
    ['JSON that is not an object', Buffer.from('7'), 'the value must be of type object'],
    ['a missing event id', Buffer.from(purchaseLine(1).replace('eventId', 'eventID')), 'eventId is required'],
    ['a number written as text', Buffer.from(purchaseLine(1, { userAge: '24' })), 'userAge must be of type integer'],
    ['a broken bound', Buffer.from(purchaseLine(1, { purchaseTimestamp: 4_102_444_800 })), 'purchaseTimestamp must be at most 4102444799'],
    [
      'an unpaired surrogate',
      Buffer.from(purchaseLine(1).replace('Orlando', '\\ud800')),
      'title must not hold NUL or an unpaired surrogate',
    ],
  ])('the check rejects %s with the reason and the original bytes', (_what, value, reason) => {
    const result = resultOf(value);
    expect(result).toMatchObject({ kind: 'reject', offset: 42, reason });
    expect(JSON.parse(result.line)).toEqual({
      topic: 'bookstore.purchases.v1',
      partition: 5,
      offset: 42,
      timestamp: '1700000000000',
      reason,
      key: Buffer.from('user-1').toString('base64'),
      value: value?.toString('base64') ?? null,
      headers: [{ name: 'ce_id', value: Buffer.from('x').toString('base64') }],
    });
  });

  it('the check accepts a value that begins with a byte order mark, as the purchase API does', () => {
    expect(resultOf(Buffer.from(`\ufeff${purchaseLine(1)}`))).toMatchObject({
      kind: 'row',
      eventId: '00000000-0000-4000-8000-000000000001',
    });
    expect(resultOf(Buffer.from(`\ufeff\ufeff${purchaseLine(1)}`))).toMatchObject({ kind: 'reject', reason: 'the value is not JSON' });
  });

  it('the check keeps every header of a reject: null, empty and repeated ones, under any name', () => {
    const headers = [
      { name: '__proto__', value: Buffer.from('a') },
      { name: 'x', value: null },
      { name: 'x', value: Buffer.alloc(0) },
      { name: '\ufffd', nameBytes: Buffer.from([0xff]), value: Buffer.from('b') },
    ];
    const result = check({ offset: 1, timestamp: '1', key: null, value: null, headers });
    expect(JSON.parse(result.line)).toMatchObject({
      headers: [{ value: 'YQ==' }, { name: 'x', value: null }, { name: 'x', value: '' }, { nameBase64: '/w==', value: 'Yg==' }],
    });
    expect(result.line).toContain('{"name":"__proto__","value":"YQ=="}');
  });
});
