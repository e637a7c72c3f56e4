import { setTimeout as pause } from 'node:timers/promises';
import { LakeView } from '@millrace/testing';
import type { SentEvents } from '../generator/sent-events.ts';

/** The events of a load in the table. */
export interface LakeCounts {
  /** Rows of the table before the load, and after it. */
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged events that are in the table. */
  readonly landed: number;
  /** Acknowledged events that are not in the table. */
  readonly lost: number;
  /** Rows that repeat an event. */
  readonly duplicated: number;
  /** Events in the table whose answer did not arrive. */
  readonly landedWithoutReceipt: number;
  /** From the end of the load until the last acknowledged event was in the table, in seconds. */
  readonly landSeconds: number;
}

/** Whether every acknowledged event is in the table once, and there was one. */
export function isComplete({ acknowledged, lost, duplicated }: LakeCounts): boolean {
  return acknowledged > 0 && lost === 0 && duplicated === 0;
}

/** Place of the table. */
export interface LakeCountOptions {
  readonly endpoint: string;
  readonly bucket: string;
  readonly table: string;
}

/**
 * Counts the rows of a table, and the events of a load in the files that appear after it was opened. It lists and reads the objects with
 * another Parquet reader, and shares no code with the sink.
 */
export class LakeCount {
  readonly #view: LakeView;
  readonly #table: string;
  readonly #before: ReadonlySet<string>;
  readonly #rowsBefore: number;

  private constructor(view: LakeView, table: string, before: ReadonlySet<string>, rowsBefore: number) {
    this.#view = view;
    this.#table = table;
    this.#before = before;
    this.#rowsBefore = rowsBefore;
  }

  /** Counts the rows that are there. */
  static async open({ endpoint, bucket, table }: LakeCountOptions): Promise<LakeCount> {
    const view = new LakeView({ endpoint, bucket });
    const keys = await filesOf(view, table);
    let rows = 0;
    for (const key of keys) rows += (await view.rows(key, ['event_id'])).length;
    return new LakeCount(view, table, new Set(keys), rows);
  }

  /** Waits until every acknowledged event has landed, at most `waitMsMax`, and counts. */
  async count(events: SentEvents, waitMsMax: number, signal: AbortSignal): Promise<LakeCounts> {
    const begunMs = performance.now();
    const read = new Set<string>();
    const seen = new Uint8Array(events.sent);
    let [newRows, duplicated, landed, landedWithoutReceipt] = [0, 0, 0, 0];
    for (;;) {
      for (const key of await filesOf(this.#view, this.#table)) {
        if (this.#before.has(key) || read.has(key)) continue;
        signal.throwIfAborted();
        read.add(key);
        for (const { event_id: id } of await this.#view.rows(key, ['event_id'])) {
          newRows += 1;
          const number = events.numbers.number(String(id));
          if (number === undefined) continue;
          if (seen[number] === 1) duplicated += 1;
          else if (events.isAcknowledged(number)) landed += 1;
          else landedWithoutReceipt += 1;
          seen[number] = 1;
        }
      }
      if (landed >= events.acknowledged || performance.now() - begunMs > waitMsMax) break;
      await pause(500, undefined, { signal });
    }
    return {
      rowsBefore: this.#rowsBefore,
      rowsAfter: this.#rowsBefore + newRows,
      sent: events.sent,
      acknowledged: events.acknowledged,
      landed,
      lost: events.acknowledged - landed,
      duplicated,
      landedWithoutReceipt,
      landSeconds: (performance.now() - begunMs) / 1000,
    };
  }

  close(): void {
    this.#view.close();
  }
}

async function filesOf(view: LakeView, table: string): Promise<string[]> {
  return (await view.objects(`${table}/`)).flatMap(({ key }) => (key.endsWith('.parquet') ? [key] : []));
}
