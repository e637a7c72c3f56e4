import { fieldNames } from '../row-fields.ts';
import type { TypeArgument, TypeSignature } from './trino-answer.ts';

/** Trino's name of a type as every engine writes it: text without its length. */
export function typeName({ rawType, arguments: parts }: TypeSignature): string {
  const numbers = parts.flatMap((part) => (part.kind === 'LONG' ? [part.value] : []));
  switch (rawType) {
    case 'varchar':
    case 'char':
      return 'varchar';
    case 'timestamp with time zone':
    case 'time with time zone':
      return rawType.replace(' ', `(${numbers[0] ?? 3}) `);
    case 'row': {
      const names = fieldNames(parts.map(fieldName));
      return `row(${names.map((name, index) => `${nameInType(name)} ${typeName(typeOf(parts[index]!))}`).join(', ')})`;
    }
    default:
      if (numbers.length > 0) return `${rawType}(${numbers.join(',')})`;
      return parts.length === 0 ? rawType : `${rawType}(${parts.map((part) => typeName(typeOf(part))).join(', ')})`;
  }
}

/** The name of a row's field; empty where it has none. */
export function fieldName(part: TypeArgument): string {
  return part.kind === 'NAMED_TYPE' ? (part.value.fieldName?.name ?? '') : '';
}

/** The type in a parameter of a type. */
export function typeOf(part: TypeArgument): TypeSignature {
  if (part.kind === 'LONG') throw new TypeError('A number is not a type.');
  return part.kind === 'TYPE' ? part.value : part.value.typeSignature;
}

function nameInType(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
