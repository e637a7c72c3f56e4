import { fromOfEntryKey, invertedOffset, type InspectableStore, type ListedObject } from '@millrace/lake';

/** Keys of one prefix that are kept: a month of a lane with an entry each minute. */
export const keysKeptMax = 45_000;
/** LISTs of one call. Each names a thousand keys. */
const listsMax = 12;

/** An object whose key holds a number that only grows, and the time at which it was written. */
export interface Mark {
  readonly number: number;
  readonly atMs: number;
}

/** Objects of a time range, the newest first. */
export interface MarksSince {
  readonly marks: readonly Mark[];
  /** Every object that was written at this time or later is known, in epoch milliseconds. */
  readonly knownFromMs: number;
}

/**
 * Remembers when the objects of a prefix were written. Their keys begin with the inverted number, so a LIST names the newest first. Keys
 * are never reused, so each is listed once.
 */
export class KeyHistory {
  readonly #store: Pick<InspectableStore, 'listSized'>;
  readonly #prefix: string;
  /** The newest first. */
  #marks: Mark[] = [];
  #isWhole = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<InspectableStore, 'listSized'>, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** The newest object that is known. */
  get newest(): Mark | undefined {
    return this.#marks[0];
  }

  /** The objects that were written at a time or later, as far as the limits of one call allow. */
  async since(fromMs: number, signal: AbortSignal): Promise<MarksSince> {
    const run = this.#running.then(async () => {
      await this.#update(fromMs, signal);
      const end = this.#marks.findIndex(({ atMs }) => atMs < fromMs);
      return {
        marks: end === -1 ? [...this.#marks] : this.#marks.slice(0, end),
        knownFromMs: end !== -1 || this.#isWhole ? fromMs : (this.#marks.at(-1)?.atMs ?? fromMs),
      };
    });
    this.#running = run.catch(() => undefined);
    return await run;
  }

  async #update(fromMs: number, signal: AbortSignal): Promise<void> {
    let lists = listsMax;
    const newest = this.#marks[0];
    const added: Mark[] = [];
    let startAfter: string | undefined;
    // Down to the newest known object, or to the begin of the range.
    for (let isDone = false; !isDone; lists -= 1) {
      const page = await this.#list(startAfter, signal);
      for (const mark of marksOf(page)) {
        if (newest !== undefined && mark.number <= newest.number) isDone = true;
        else added.push(mark);
      }
      startAfter = page.at(-1)?.key;
      if (page.length < 1000) {
        isDone = true;
        if (newest === undefined) this.#isWhole = true;
      } else if (!isDone && (lists <= 1 || (newest === undefined && (added.at(-1)?.atMs ?? 0) < fromMs))) {
        isDone = true;
        // Otherwise a hole would remain between these and the older ones.
        if (newest !== undefined) {
          this.#marks = [];
          this.#isWhole = false;
        }
      }
    }
    this.#marks = [...added, ...this.#marks];
    while (!this.#isWhole && lists > 0 && this.#marks.length < keysKeptMax) {
      const oldest = this.#marks.at(-1);
      if (oldest === undefined || oldest.atMs < fromMs) break;
      const page = await this.#list(`${this.#prefix}${invertedOffset(oldest.number)}-${oldest.number}.json`, signal);
      lists -= 1;
      this.#marks.push(...marksOf(page));
      if (page.length < 1000) this.#isWhole = true;
    }
    if (this.#marks.length > keysKeptMax) {
      this.#marks.length = keysKeptMax;
      this.#isWhole = false;
    }
  }

  async #list(startAfter: string | undefined, signal: AbortSignal): Promise<ListedObject[]> {
    return await this.#store.listSized(this.#prefix, startAfter === undefined ? { signal } : { signal, startAfter });
  }
}

function marksOf(page: readonly ListedObject[]): Mark[] {
  return page.flatMap(({ key, putAtMs = 0 }) => {
    const number = fromOfEntryKey(key);
    return number === undefined ? [] : [{ number, atMs: putAtMs }];
  });
}
