import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { ResultCell } from '@millrace/contracts';
import type { ResultColumn } from '../query-engine.ts';

/** Columns of an Athena result; a name that comes again is numbered, as DuckDB does. */
export function columnsOf(infos: readonly ColumnInfo[]): ResultColumn[] {
  const seen = new Set<string>();
  return infos.map((info) => {
    const base = info.Name ?? '';
    let name = base;
    for (let n = 1; seen.has(name); n += 1) name = `${base}_${n}`;
    seen.add(name);
    return { name, type: typeOf(info) };
  });
}

function typeOf({ Type = 'varchar', Precision, Scale }: ColumnInfo): string {
  const type = Type.toLowerCase();
  if (type === 'float') return 'real';
  if (type === 'decimal') return `decimal(${Precision ?? 38},${Scale ?? 0})`;
  return type;
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
    case 'real': {
      const value = Number(text);
      // NaN and the infinities have no JSON number.
      return Number.isFinite(value) ? value : text;
    }
    case 'boolean':
      return text === 'true';
    case 'timestamp':
      // Trino writes the zeros of a fraction, DuckDB does not.
      return text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    default:
      return text;
  }
}
