import type { StatementText } from '../../statement/statement-text.ts';
import type { Parameter } from '../query-engine.ts';

/**
 * The statement with each `?` replaced by a literal. Athena's own `ExecutionParameters` are literals, too, written by the caller and
 * put in by the service; the emulator does not know them, so that one way serves both. Placeholders are found by the statement's
 * own reader, never inside a string, a name or a comment, and each value is written so that it stays one token.
 */
export function withLiterals({ text, placeholders }: StatementText, parameters: readonly Parameter[]): string {
  let out = '';
  let from = 0;
  placeholders.forEach((at, index) => {
    out += `${text.slice(from, at)} ${literalOf(parameters[index] ?? null)} `;
    from = at + 1;
  });
  return out + text.slice(from);
}

/** A value as an SQL literal: text in single quotes, whole numbers as they are, others as DOUBLE. */
export function literalOf(value: Parameter): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  const digits = Number.isSafeInteger(value) ? String(Math.abs(value)) : Math.abs(value).toExponential().toUpperCase();
  // In parentheses, since a minus after a minus would begin a comment.
  return value < 0 ? `(-${digits})` : digits;
}
