import type { Reject, Row } from './records/check.ts';
import { PlainRow } from './records/plain/plain-row.ts';

/** The lines of one file, in order. Lines that follow each other in a buffer are one piece of it. */
export class LineChunks {
  readonly #chunks: Buffer[] = [];
  #texts: string[] = [];
  #bytes: Buffer | undefined;
  #from = 0;
  #to = 0;

  add(result: Row | Reject): void {
    if (!(result instanceof PlainRow)) {
      this.#endPiece();
      this.#texts.push(result.line);
      return;
    }
    if (this.#bytes === result.bytes && this.#to === result.from) {
      this.#to = result.to;
      return;
    }
    this.#endTexts();
    this.#endPiece();
    this.#bytes = result.bytes;
    this.#from = result.from;
    this.#to = result.to;
  }

  /** All lines. Without a copy if they are one piece. */
  end(): Buffer {
    this.#endTexts();
    this.#endPiece();
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  #endTexts(): void {
    if (this.#texts.length > 0) this.#chunks.push(Buffer.from(this.#texts.join('')));
    this.#texts = [];
  }

  #endPiece(): void {
    if (this.#bytes !== undefined) this.#chunks.push(this.#bytes.subarray(this.#from, this.#to));
    this.#bytes = undefined;
  }
}
