import { describe, expect, it } from 'vitest';
import { changeTab, closeTab, keepTabs, nameOf, openTab, readTabs, replaceStatement, type Tabs } from './tabs.ts';
import { permalinkOf, requestOfTab, tabOfPermalink } from './request-of-tab.ts';

const storageWith = (text: string | null): Pick<Storage, 'getItem'> => ({ getItem: () => text });
const tabs: Tabs = {
  list: [
    { id: 'a', sql: 'SELECT 1', parameters: [] },
    { id: 'b', sql: 'SELECT ?', parameters: [{ type: 'number', text: '2' }], engine: 'trino', layout: 'iceberg', queryId: 'q' },
  ],
  current: 'b',
};

describe('the tabs of the editor', () => {
  it('tabs that were kept are read again with their parameters, engine, layout and query', () => {
    let kept = '';
    keepTabs({ setItem: (_key, value) => (kept = value) }, tabs);
    expect(readTabs(storageWith(kept), () => 'new')).toEqual(tabs);
  });

  it('a formatted statement replaces its own, and not one that changed since', () => {
    expect(replaceStatement(tabs, { id: 'a', sql: 'SELECT 1' }, 'SELECT\n  1').list[0]!.sql).toBe('SELECT\n  1');
    expect(replaceStatement(tabs, { id: 'a', sql: 'SELECT 2' }, 'SELECT\n  2')).toEqual(tabs);
  });

  it.each([
    ['nothing', null],
    ['text that is not JSON', '{'],
    ['a number', '7'],
    ['a list of no tabs', '{"list": [1, null, {"id": 3}], "current": "x"}'],
  ])('a storage with %s gives one empty tab', (_what, text) => {
    expect(readTabs(storageWith(text), () => 'new')).toEqual({ list: [{ id: 'new', sql: '', parameters: [] }], current: 'new' });
  });

  it('a new tab replaces an empty current one, and the oldest of 20', () => {
    const empty: Tabs = { list: [{ id: 'a', sql: ' ', parameters: [] }], current: 'a' };
    const tab = { id: 'n', sql: 'SELECT 3', parameters: [] };
    expect(openTab(empty, tab)).toEqual({ list: [tab], current: 'n' });
    const full: Tabs = { list: Array.from({ length: 20 }, (_, n) => ({ id: String(n), sql: 'SELECT 1', parameters: [] })), current: '0' };
    expect(openTab(full, tab).list.map(({ id }) => id)).toEqual([...Array.from({ length: 19 }, (_, n) => String(n + 1)), 'n']);
  });

  it('closing the current tab goes to its neighbour, and closing the last one opens an empty one', () => {
    expect(closeTab(tabs, 'b', () => 'new').current).toBe('a');
    expect(
      closeTab(
        closeTab(tabs, 'b', () => 'x'),
        'a',
        () => 'new',
      ),
    ).toEqual({
      list: [{ id: 'new', sql: '', parameters: [] }],
      current: 'new',
    });
  });

  it('a change changes the current tab only', () => {
    expect(changeTab(tabs, { sql: 'SELECT 9' }).list.map(({ sql }) => sql)).toEqual(['SELECT 1', 'SELECT 9']);
  });

  it('the name of a tab is the beginning of its statement', () => {
    expect([nameOf({ sql: ' SELECT\n 1 ' }), nameOf({ sql: '' }), nameOf({ sql: 'x'.repeat(40) })]).toEqual([
      'SELECT 1',
      'New statement',
      `${'x'.repeat(27)}…`,
    ]);
  });
});

describe('the request of a tab', () => {
  it('each parameter has the type that the user chose', () => {
    const parameters = [
      { type: 'text', text: '1' },
      { type: 'number', text: '1' },
      { type: 'boolean', text: 'true' },
      { type: 'null', text: 'x' },
      { type: 'number', text: 'one' },
    ] as const;
    expect(requestOfTab({ id: 'a', sql: 'SELECT 1', parameters })).toEqual({ sql: 'SELECT 1', parameters: ['1', 1, true, null, 'one'] });
  });

  it('the link of a tab opens the same statement', () => {
    const tab = { ...tabs.list[1]!, sql: 'SELECT \'ä&=#\n\' AS "a b", ?' };
    const link = new URL(permalinkOf(tab, 'http://127.0.0.1:3003/console/ask'));
    expect(link.search).toBe('');
    const { queryId: _left, ...expected } = tab;
    expect(tabOfPermalink(link.hash, 'b')).toEqual(expected);
    expect(tabOfPermalink('#main', 'b')).toBeUndefined();
  });
});
