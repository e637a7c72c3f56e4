import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import {
  counted,
  editableReject,
  grouped,
  identityOf,
  readReject,
  readRejects,
  type Lake,
  type RejectedRecord,
  type Target,
} from '@millrace/operations';
import type { Arguments } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import type { OperatorContext, OperatorScreen } from '../operator-context.ts';
import { showProgress } from '../show-progress.ts';

/** Usage of the command. */
export const showUsage = './millrace rejects show [PARTITION/OFFSET] [--partition P] [--limit N] [--out FILE.jsonl] [--json] [--table T]';

/** Maximum number of characters of a value on the screen. `--json` and `--out` have all. */
const shownMax = 4000;

/** Shows one reject, or all up to `--limit` (default 20, and 10,000 with `--out`). `--out` writes them to a file for corrections. */
export async function rejectsShow({ lake }: Target, given: Arguments, { out, progress, signal }: OperatorContext): Promise<number> {
  const path = given.value('--out');
  const [place] = given.words;
  const records = place === undefined ? await readAll() : [await readAt(lake, place, signal)];
  if (path !== undefined) {
    write(path, records);
    out.line(
      `${counted(records.length, 'reject')} ${records.length === 1 ? 'is' : 'are'} in ${path}. Correct "event" of each line, delete the lines to leave alone, and run ./millrace rejects redrive ${path}`,
    );
  } else if (given.has('--json')) {
    out.line(JSON.stringify({ rejects: records.map(jsonOf) }));
  } else if (records.length === 0) {
    out.line(`Table ${lake.stream.table} has no rejects.`);
  } else {
    for (const record of records) for (const line of rejectText(record, out)) out.line(line);
  }
  return 0;

  async function readAll(): Promise<RejectedRecord[]> {
    const limit = given.integer('--limit', 1) ?? (path === undefined ? 20 : 10_000);
    const partition = given.integer('--partition');
    return await showProgress(
      progress,
      { rejects: 'Rejects' },
      async (onProgress) => await readRejects(lake, { limit, partition, signal, onProgress }),
    );
  }
}

async function readAt(lake: Lake, place: string, signal: AbortSignal): Promise<RejectedRecord> {
  const match = /^(\d{1,10})\/(\d{1,16})$/.exec(place);
  if (match === null)
    throw new OperatorError(`"${place}" is not the place of a reject: give a partition and an offset, as in 3/1234. Usage: ${showUsage}`);
  const found = await readReject(lake, Number(match[1]), Number(match[2]), signal);
  if (found === undefined)
    throw new OperatorError(`Offset ${match[2]} of partition ${match[1]} is not a reject; ./millrace rejects list shows them.`);
  return found;
}

function jsonOf(record: RejectedRecord): object {
  return {
    ...editableReject(record),
    file: record.file,
    key: record.key?.toString('utf8') ?? null,
    headers: record.headers.map(({ name, value }) => ({ name, value: value?.toString('utf8') ?? null })),
    ...(record.undecodable === undefined ? {} : { undecodable: record.undecodable }),
  };
}

function write(path: string, records: readonly RejectedRecord[]): void {
  try {
    writeFileSync(path, records.map((record) => `${JSON.stringify(editableReject(record))}\n`).join(''), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new OperatorError(`${path} is there already, and may hold corrections: name another file.`);
    throw new OperatorError(`${path} cannot be written: ${(error as Error).message}.`);
  }
}

function rejectText(record: RejectedRecord, out: Pick<OperatorScreen, 'bold'>): string[] {
  const { topic, partition, offset, timestamp, reason, key, value, headers, undecodable, file } = record;
  return [
    out.bold(`${partition}/${offset}  ${printable(reason)}`),
    `  topic     ${topic}, partition ${partition}, offset ${grouped(offset)}, taken ${new Date(Number(timestamp)).toISOString()}`,
    `  event id  ${identityOf(record)}`,
    `  file      ${file}`,
    `  key       ${key === null ? 'none' : bytesText(key)}`,
    ...headers.map(({ name, value: header }) => `  header    ${printable(name)}: ${header === null ? 'null' : bytesText(header)}`),
    ...(undecodable === undefined
      ? []
      : [
          `  batch     offsets ${grouped(undecodable.from)} to ${grouped(undecodable.to - 1)}, sha256 ${undecodable.sha256}${undecodable.batch === undefined ? `; its bytes are with offset ${grouped(undecodable.from)}` : '; --json has its bytes'}`,
        ]),
    `  value     ${value === null ? 'null' : bytesText(value)}`,
    '',
  ];
}

function bytesText(bytes: Buffer): string {
  if (!isUtf8(bytes))
    return `${counted(bytes.byteLength, 'byte')}, no text: ${bytes.subarray(0, 64).toString('hex')}${bytes.byteLength > 64 ? '…' : ''}`;
  const text = bytes.toString('utf8');
  return text.length <= shownMax
    ? printable(text)
    : `${printable(text.slice(0, shownMax))}… (${grouped(text.length)} characters; --json has all)`;
}

// Text of a foreign producer must not control the terminal.
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}
