/** Findings of the judge. Each list has at most {@link namedMax} findings in words; the counts are exact. */
export interface Verdict {
  readonly acknowledged: number;
  readonly logRecords: number;
  readonly rows: number;
  readonly files: number;
  /** Acknowledged events that no reader of the table sees. */
  readonly lost: Findings;
  /** Events, or offsets of the log, that a reader sees more than once. */
  readonly duplicated: Findings;
  /** Rows that the log does not hold at their offset, and records of the log that are neither a row nor a repetition of one. */
  readonly unexplained: Findings;
}

/** A count, and the first counted items. */
export interface Findings {
  readonly count: number;
  readonly named: readonly string[];
}

/** Input of the comparison: event numbers by partition and offset, rows by file, and events with a receipt. */
export interface Evidence {
  readonly log: readonly (readonly number[])[];
  readonly files: ReadonlyMap<string, readonly { readonly number: number; readonly partition: number; readonly offset: number }[]>;
  readonly isAcknowledged: (number: number) => boolean;
  /** Numbers below this were sent. */
  readonly sent: number;
}

const namedMax = 10;

/** Compares the log with the table, event by event and offset by offset. */
export function compare({ log, files, isAcknowledged, sent }: Evidence): Verdict {
  const lost = new Finder();
  const duplicated = new Finder();
  const unexplained = new Finder();
  const seenEvents = new Uint8Array(sent);
  const seenOffsets = log.map((records) => new Uint8Array(records.length));
  let rows = 0;
  for (const [key, file] of files) {
    for (const { number, partition, offset } of file) {
      rows += 1;
      const where = `offset ${offset} of partition ${partition} in ${key}`;
      if (log[partition]?.[offset] !== number) unexplained.add(`the log holds another event at ${where}`);
      else if (seenOffsets[partition]![offset] === 1) duplicated.add(where);
      else if (seenEvents[number] === 1) duplicated.add(`event ${number} once more, ${where}`);
      else {
        seenOffsets[partition]![offset] = 1;
        seenEvents[number] = 1;
      }
    }
  }
  let acknowledged = 0;
  for (let number = 0; number < sent; number += 1) {
    if (!isAcknowledged(number)) continue;
    acknowledged += 1;
    if (seenEvents[number] === 0) lost.add(`event ${number}`);
  }
  let logRecords = 0;
  for (const [partition, records] of log.entries()) {
    logRecords += records.length;
    for (const [offset, number] of records.entries()) {
      // A record without a row repeats an event that has one: the client retried under the same id.
      if (seenOffsets[partition]![offset] === 0 && seenEvents[number] !== 1)
        unexplained.add(`offset ${offset} of partition ${partition} is not in the table`);
    }
  }
  return {
    acknowledged,
    logRecords,
    rows,
    files: files.size,
    lost: lost.findings,
    duplicated: duplicated.findings,
    unexplained: unexplained.findings,
  };
}

/** Whether nothing is lost, doubled or unexplained. */
export function isClean({ lost, duplicated, unexplained }: Verdict): boolean {
  return lost.count + duplicated.count + unexplained.count === 0;
}

class Finder {
  #count = 0;
  readonly #named: string[] = [];

  add(what: string): void {
    this.#count += 1;
    if (this.#named.length < namedMax) this.#named.push(what);
  }

  get findings(): Findings {
    return { count: this.#count, named: this.#named };
  }
}
