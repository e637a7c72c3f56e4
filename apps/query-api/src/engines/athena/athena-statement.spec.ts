import { expect, it } from 'vitest';
import { readStatement } from '../../statement/statement-text.ts';
import { athenaStatement } from './athena-statement.ts';

it('the place of an error in the text for Athena is a place in the text of the caller', () => {
  const text = "SELECT ? AS a, nothing_here,\n TIMESTAMP '2024-02-29 12:00:00 UTC', other FROM t WHERE b = ? AND missing";
  const { sql, place } = athenaStatement(readStatement(text), ['a long value', 7]);
  const lines = sql.split('\n');
  for (const word of ['nothing_here', 'other', 'missing']) {
    const line = lines.findIndex((one) => one.includes(word)) + 1;
    const column = lines[line - 1]!.indexOf(word) + 1;
    const own = text.split('\n')[line - 1]!.indexOf(word) + 1;
    expect(place(line, column)).toEqual({ line, column: own });
  }
  expect(sql).toContain("CAST('2024-02-29 12:00:00 UTC' AS TIMESTAMP WITH TIME ZONE)");
});
