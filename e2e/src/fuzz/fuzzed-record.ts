import type { RecordToEncode } from '@millrace/kafka/testing';
import type { Chooser } from './chooser.ts';

/** The outcome that a record must have. */
export type Fate = { readonly kind: 'row'; readonly eventId: string } | { readonly kind: 'reject' };

/** A record and its fate by the rules of the contract. */
export interface FuzzedRecord {
  readonly record: RecordToEncode;
  readonly fate: Fate;
}

const oddNames: readonly (string | Buffer)[] = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'ce_id',
  'ce_id',
  'traceparent',
  'x',
  'é',
  Buffer.from([0xff, 0xfe]),
];

/** Makes records of any shape that Kafka's format allows. */
export class RecordFuzzer {
  readonly #choose: Chooser;
  #made = 0;
  readonly #eventIds = new Map<number, string[]>();

  constructor(choose: Chooser) {
    this.#choose = choose;
  }

  /** Makes a record for a partition: an event that is sent again goes where it went before. */
  next(partition: number): FuzzedRecord {
    const choose = this.#choose;
    this.#made += 1;
    const { value, fate } = choose.chance(0.6) ? this.#good(partition) : this.#bad();
    const timestampDelta = choose.of([0, 1, -1, choose.below(1_000_000), 2n ** 40n]);
    return {
      fate,
      record: {
        timestampDelta,
        key: choose.of([null, '', `user ${choose.below(50)}`, choose.bytes(20)]),
        value,
        headers: Array.from({ length: choose.of([0, 0, 1, 2, 5]) }, () => this.#header()),
      },
    };
  }

  #header(): readonly [Buffer | string, Buffer | string | null] {
    return [this.#choose.of(oddNames), this.#choose.of([null, '', 'text', this.#choose.bytes(30)])];
  }

  #event(): Record<string, unknown> {
    const choose = this.#choose;
    const eventId = `00000000-0000-4000-8000-${this.#made.toString(16).padStart(12, '0')}`;
    return {
      eventId,
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title: choose.of(['Orlando', 'Ölüdeniz', 'a "quoted" title', '💡', 'line\nbreak', 'x'.repeat(1024)]),
      author: 'Virginia Woolf',
      genre: 'Fiction',
      userId: `user ${choose.below(50)}`,
      userCountry: 'GB',
      userAge: choose.below(151),
      purchaseTimestamp: 1_575_121_641 + choose.below(3) * 86_400,
    };
  }

  #good(partition: number): { value: Buffer; fate: Fate } {
    const choose = this.#choose;
    const event = this.#event();
    // Sent again, as a producer does that has seen no answer.
    const sent = this.#eventIds.get(partition) ?? [];
    if (sent.length > 0 && choose.chance(0.05)) event['eventId'] = choose.of(sent);
    const eventId = String(event['eventId']);
    this.#eventIds.set(partition, sent);
    sent.push(eventId);
    const text = choose.of([
      () => JSON.stringify(event),
      () => JSON.stringify(event, undefined, 2),
      () => `\ufeff${JSON.stringify(event)}`,
      () => ` \n${JSON.stringify({ ...event, unknown: { deep: [1, null] }, ['__proto__x']: 1 })} `,
      () => JSON.stringify({ ...event, eventId: eventId.toUpperCase() }),
      () => `{"title":"the first of two",${JSON.stringify(event).slice(1)}`,
    ])();
    return { value: Buffer.from(text), fate: { kind: 'row', eventId } };
  }

  #bad(): { value: Buffer | null; fate: Fate } {
    const choose = this.#choose;
    const event = this.#event();
    const text = JSON.stringify(event);
    const value = choose.of<() => Buffer | string | null>([
      () => null,
      () => '',
      () => choose.bytes(60),
      () => text.slice(0, 1 + choose.below(text.length - 1)),
      () => `${text.slice(0, -1)},}`,
      () => Buffer.from(text, 'utf16le'),
      () => `\ufeff\ufeff${text}`,
      () => JSON.stringify({ ...event, userAge: 151 }),
      () => JSON.stringify({ ...event, eventId: undefined }),
      () => JSON.stringify({ ...event, title: null }),
      () => JSON.stringify([event]),
      () => 'null',
      () => '1e999',
      () => '{"__proto__":{"eventId":"x"}}',
      () => JSON.stringify({ ...event, title: '\ud800' }),
    ])();
    return { value: value === null ? null : Buffer.from(value), fate: { kind: 'reject' } };
  }
}
