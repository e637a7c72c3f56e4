import type { StatementText } from '../../statement/statement-text.ts';
import { edited, type EditedText } from '../../statement/text-edits.ts';
import type { Parameter } from '../query-engine.ts';

/**
 * Replaces each `?` of a statement by a literal. Athena's own `ExecutionParameters` are literals as well: the caller writes them, and the
 * service inserts them. The emulator lacks `ExecutionParameters`, so literals serve both. The statement's reader found the placeholders
 * outside strings, names and comments. Each value is written as one token.
 */
export function withLiterals({ text, placeholders }: StatementText, parameters: readonly Parameter[]): EditedText {
  return edited(
    text,
    placeholders.map((at, index) => ({ at, length: 1, text: ` ${literalOf(parameters[index] ?? null)} ` })),
  );
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
