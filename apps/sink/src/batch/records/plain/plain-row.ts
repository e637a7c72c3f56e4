import { uuidLength } from '../../../dedup/ids/id-words.ts';
import type { Row } from '../check.ts';

/** A row whose line is in a buffer, which holds it until the part is appended. */
export class PlainRow implements Row {
  readonly kind = 'row';
  readonly offset: number;
  readonly dt: string;
  readonly eventTime: number;
  readonly bytes: Buffer;
  /** Where the line is in the buffer: [from, to). */
  readonly from: number;
  readonly to: number;
  readonly #idAt: number;

  constructor(offset: number, dt: string, eventTime: number, bytes: Buffer, from: number, to: number, idAt: number) {
    this.offset = offset;
    this.dt = dt;
    this.eventTime = eventTime;
    this.bytes = bytes;
    this.from = from;
    this.to = to;
    this.#idAt = idAt;
  }

  get eventId(): string {
    return this.bytes.toString('latin1', this.#idAt, this.#idAt + uuidLength);
  }

  get line(): string {
    return this.bytes.toString('utf8', this.from, this.to);
  }
}
