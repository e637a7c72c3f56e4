import { purchases, type Stream } from '@millrace/contracts';
import { bookViews } from '@millrace/contracts/testing';
import { describe, expect, it } from 'vitest';
import { checkOf } from '../check.ts';
import { readIdWords } from '../../../dedup/ids/id-words.ts';
import { notPlain, PlainScanner } from './plain-scanner.ts';

/** A generator of whole numbers below a limit; the same seed gives the same numbers. */
function numbersOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const snippets = [
  '',
  'a',
  'Orlando',
  "O'Brien",
  'é',
  '日本語',
  '😀',
  '\u007f',
  '\u2028',
  '\t',
  '"',
  '\\',
  '\u0000',
  '\ud800',
  '\ufeff',
  'x'.repeat(63),
  'x'.repeat(64),
  '😀'.repeat(40),
  'x'.repeat(128),
  '😀'.repeat(70),
  'x'.repeat(1025),
];
const numbers = [0, -0, 1, -1, 24, 150, 151, 1.5, 1e21, 1e-7, 1_575_121_641, 4_102_444_799, 4_102_444_800, 2 ** 53];
const ids = [
  '00000000-0000-4000-8000-000000000001',
  'EC437D98-455D-4FEC-8DBE-2C2630454BDD',
  'no-id',
  '00000000-0000-4000-8000-00000000000g',
];

/** An event of the stream, in most fields valid. */
function eventOf(stream: Stream, pick: (below: number) => number): Record<string, unknown> {
  const { properties } = stream.eventSchema as unknown as { properties: Record<string, { type: string; 'x-lower-case'?: boolean }> };
  const one = <T>(values: readonly T[]): T => values[pick(values.length)]!;
  const usual = pick(3) > 0;
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      if (schema.type === 'integer') return [name, usual ? one([0, 24, 90, 100]) : one(numbers)];
      if (schema['x-lower-case'] === true) return [name, usual ? ids[0] : one(ids)];
      return [name, usual ? one(snippets.slice(1, 7)) : one(snippets)];
    }),
  );
}

/** The bytes of a text: now and then with a changed, missing or added byte. */
function bytesOf(text: Buffer, pick: (below: number) => number): Buffer {
  const at = pick(text.length + 1);
  switch (pick(12)) {
    case 0:
      return Buffer.concat([text.subarray(0, at), Buffer.from([pick(256)]), text.subarray(at + 1)]);
    case 1:
      return Buffer.concat([text.subarray(0, at), text.subarray(at + 1)]);
    case 2:
      return Buffer.concat([text.subarray(0, at), Buffer.from([pick(256)]), text.subarray(at)]);
    default:
      return text;
  }
}

/** Texts of an event: as it is written usually, and changed as other producers may write it. */
function textOf(event: Record<string, unknown>, pick: (below: number) => number): string {
  const json = JSON.stringify(event);
  const names = Object.keys(event);
  const name = names[pick(names.length)]!;
  switch (pick(12)) {
    case 0:
      return JSON.stringify(event, undefined, 1);
    case 1:
      return JSON.stringify({ ...event, colour: 'red' });
    case 2:
      return json.replace('{', `{"${name}":"first",`);
    case 3:
      return JSON.stringify(Object.fromEntries(Object.entries(event).toReversed()));
    case 4:
      return JSON.stringify({ ...event, [name]: undefined });
    case 5:
      return JSON.stringify({ ...event, [name]: null });
    case 6:
      return json.replace(/:(\d+)/, ':$1.0');
    case 7:
      return json.slice(0, pick(json.length));
    case 8: {
      const at = pick(json.length);
      return json.slice(0, at) + String.fromCharCode(32 + pick(95)) + json.slice(at + 1);
    }
    case 9:
      return `${json} `;
    default:
      return json;
  }
}

/** The line and the parts of a record in the plain form; undefined for another form. */
function scanned(scanner: PlainScanner, value: Buffer, offset: number): Record<string, unknown> | undefined {
  const target = Buffer.alloc(7 + scanner.lineBytesMax(value.length));
  // The bytes around a value are those of its batch.
  const source = Buffer.concat([Buffer.from('{"'), value, Buffer.from('"}')]);
  const to = scanner.scan(source, 2, 2 + value.length, offset, target, 7);
  if (to === notPlain) return undefined;
  const { eventTime, idAt, idWords } = scanner;
  return { line: target.toString('utf8', 7, to), eventTime, eventId: target.toString('latin1', idAt, idAt + 36), words: [...idWords] };
}

describe.each([purchases, bookViews])('the scanner of $name', (stream) => {
  const check = checkOf(stream, 0);
  const scanner = PlainScanner.of(stream)!;

  it('the scanner gives a record the row of the exact check, or leaves the record to it', () => {
    const pick = numbersOf(7);
    const counts = { plain: 0, row: 0, reject: 0 };
    for (let n = 0; n < 20_000; n += 1) {
      const value = bytesOf(Buffer.from(textOf(eventOf(stream, pick), pick)), pick);
      const offset = [0, 9, 10, 99_999, 2 ** 31, Number.MAX_SAFE_INTEGER][pick(6)]!;
      const exact = check({ offset, timestamp: '0', key: null, value, headers: [] });
      counts[exact.kind] += 1;
      const found = scanned(scanner, value, offset);
      if (found === undefined) continue;
      counts.plain += 1;
      const words = new Uint32Array(4);
      readIdWords(String(found['eventId']), words, 0);
      const { line, eventTime, eventId } = exact as Extract<typeof exact, { kind: 'row' }>;
      expect(found).toEqual({ line, eventTime, eventId, words: [...words] });
    }
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(1000);
  });

  it('a record as the purchase API writes it has the plain form', () => {
    const usual = JSON.stringify(eventOf(stream, () => 1));
    expect(scanned(scanner, Buffer.from(usual), 1)).toBeDefined();
    expect(scanned(scanner, Buffer.from(usual.replace('Orlando', 'L’Étranger')), 1)).toBeDefined();
  });

  it('a record in another form is a row by the exact path', () => {
    const value = Buffer.from(
      JSON.stringify(
        eventOf(stream, () => 1),
        undefined,
        2,
      ),
    );
    expect(scanned(scanner, value, 0)).toBeUndefined();
    expect(check({ offset: 0, timestamp: '0', key: null, value, headers: [] }).kind).toBe('row');
  });
});

it('a field without a plain form leaves its stream to the exact path', () => {
  const schema = { properties: { eventId: { type: 'string', format: 'x' } }, required: ['eventId'] };
  expect(PlainScanner.of({ ...purchases, eventSchema: schema } as unknown as Stream)).toBeUndefined();
});
