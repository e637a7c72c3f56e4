import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { ResultCell } from '@millrace/contracts';
import { bytesText, shortestReal, timeText } from '../cell-text.ts';
import type { ResultColumn } from '../query-engine.ts';

/** Columns of an Athena result, with the names of the statement. */
export function columnsOf(infos: readonly ColumnInfo[]): ResultColumn[] {
  return infos.map((info) => ({ name: info.Name ?? '', type: typeOf(info) }));
}

/** Types that Trino prints with a precision and Athena without: Athena's is milliseconds. */
const milliseconds: Readonly<Record<string, string>> = {
  timestamp: 'timestamp(3)',
  'timestamp with time zone': 'timestamp(3) with time zone',
  time: 'time(3)',
  'time with time zone': 'time(3) with time zone',
};

// Athena names a nested type without its parts: array, map or row.
function typeOf({ Type = 'varchar', Precision, Scale }: ColumnInfo): string {
  const type = Type.toLowerCase();
  if (type === 'float') return 'real';
  if (type === 'decimal') return `decimal(${Precision ?? 38},${Scale ?? 0})`;
  return milliseconds[type] ?? type;
}

/** A cell from the text that Athena gives for every value. */
export function cellOf(text: string | undefined, type: string): ResultCell {
  if (text === undefined) return null;
  switch (type) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
      return Number(text);
    case 'double':
      return numberOf(text);
    case 'real': {
      const value = numberOf(text);
      return typeof value === 'number' ? shortestReal(value) : value;
    }
    case 'boolean':
      return text === 'true';
    case 'varbinary':
      return bytesText(bytesOf(text));
    default:
      return type.startsWith('time') ? timeText(text) : text;
  }
}

/** NaN and the infinities have no JSON number: they are text. The emulator writes them as Python does. */
function numberOf(text: string): number | string {
  const special = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[text];
  if (special !== undefined) return special;
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** Bytes from Athena's text, `41 42`, or from the emulator's, `b'AB'`. */
function bytesOf(text: string): Uint8Array {
  const python = /^b(['"])(.*)\1$/s.exec(text);
  if (python === null) return Buffer.from(text.replaceAll(' ', ''), 'hex');
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  const unescaped = python[2]!.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/gs, (_escape, hex: string | undefined, character: string) =>
    hex === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(unescaped, 'latin1');
}
