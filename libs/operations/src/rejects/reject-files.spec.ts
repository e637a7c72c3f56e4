import { expect, it } from 'vitest';
import { parseRejects } from './reject-files.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const line = { topic: 't', partition: 3, offset: 7, timestamp: '1', reason: 'because', key: null, value: base64('v') };

it('the headers of a reject keep their order, with null and repeated ones, also in files of earlier versions', () => {
  const headers = [
    { name: '__proto__', value: base64('a') },
    { name: 'x', value: null },
    { name: 'x', value: base64('') },
    { nameBase64: '/w==', value: base64('b') },
  ];
  const text = [
    { ...line, headers },
    { ...line, headers: { ce_id: base64('id') } },
  ]
    .map((one) => `${JSON.stringify(one)}\n`)
    .join('');
  const [now, before] = parseRejects('key', Buffer.from(text));
  expect(now!.headers).toEqual([
    { name: '__proto__', value: Buffer.from('a') },
    { name: 'x', value: null },
    { name: 'x', value: Buffer.alloc(0) },
    { name: '\ufffd', nameBytes: Buffer.from([0xff]), value: Buffer.from('b') },
  ]);
  expect(before!.headers).toEqual([{ name: 'ce_id', value: Buffer.from('id') }]);
});
