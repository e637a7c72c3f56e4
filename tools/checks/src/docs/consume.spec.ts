import { headerNames, purchases, validatorFor } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { textOf } from '../repository.ts';

const page = textOf('docs/consume.md');

/** The cells of the rows of the table that begins with a header cell. */
function rowsOf(header: string): string[][] {
  const table = page.split('\n\n').find((part) => part.startsWith(`| ${header} |`)) ?? '';
  const rows = table.split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/consume.md', () => {
  it('the document names every header of a record, with the values of the contract', () => {
    const rows = rowsOf('header');
    expect(rows.map(([name]) => name!.replaceAll('`', '')).toSorted()).toEqual(Object.values(headerNames).toSorted());
    const contentOf = (name: string): string => rows.find(([cell]) => cell === `\`${name}\``)?.[1] ?? '';
    expect(contentOf(headerNames.type)).toBe(`\`${purchases.eventType}\``);
    expect(contentOf(headerNames.source)).toContain(`\`${purchases.eventSource}\``);
  });

  it('the document states the topic, its partitions and its key as the contract does', () => {
    const properties = new Map(rowsOf('property').map(([name, value]) => [name, value!]));
    expect(properties.get('name')).toBe(`\`${purchases.topic.name}\``);
    expect(properties.get('partitions')).toMatch(new RegExp(`^${purchases.topic.partitions},`));
    expect(properties.get('key')).toContain(`\`${purchases.keyField}\``);
  });

  it('the document shows a record that the schema accepts', () => {
    const record = /```json\n([^]*?)```/.exec(page)?.[1];
    expect(validatorFor(purchases.eventSchema).violations(JSON.parse(record ?? 'null'))).toEqual([]);
  });
});
