import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Type, type TObject } from 'typebox';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { settingsTable, withSettingsTables } from './settings-table.ts';

const path = join(repository, 'docs/settings.md');

async function schemaOf(app: string, name: string): Promise<TObject> {
  const config = (await import(pathToFileURL(join(repository, `apps/${app}/src/config.ts`)).href)) as Record<string, TObject>;
  const schema = config[name];
  if (schema === undefined) throw new Error(`apps/${app}/src/config.ts has no ${name}`);
  return schema;
}

describe('docs/settings.md', () => {
  it('the document shows every setting of every service (vitest -u writes the tables)', async () => {
    const schemas = {
      purchase: await schemaOf('purchase', 'purchaseConfigSchema'),
      sink: await schemaOf('sink', 'sinkConfigSchema'),
      query: await schemaOf('query-api', 'queryConfigSchema'),
    };
    await expect(withSettingsTables(textOf('docs/settings.md'), schemas)).toMatchFileSnapshot(path);
  });

  it('the document names every setting of ./millrace', () => {
    const sources = ['tools/stack/src/settings.ts', 'tools/stack/src/places.mjs'].map(textOf).join('\n');
    const places = /\b(?:given|read)\('([A-Z][A-Z_0-9]+)'|\b(?:env|given)\['([A-Z][A-Z_0-9]+)'\]|\b([A-Z_]+_PORT): \d/g;
    const read = [...sources.matchAll(places)].map((match) => match[1] ?? match[2] ?? match[3]!);
    expect(read.length).toBeGreaterThan(15);
    const text = textOf('docs/settings.md');
    expect(read.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('settingsTable', () => {
  it('the table shows meaning, values and default of each setting', () => {
    const schema = Type.Object({
      A_PORT: Type.Integer({ default: 3001, minimum: 0, maximum: 65_535, description: 'Port' }),
      A_NAME: Type.Optional(Type.String({ minLength: 1, description: 'Name.' })),
      A_LIST: Type.Array(Type.String({ minLength: 1 }), { default: ['a', 'b'], minItems: 1, description: 'List' }),
      A_KIND: Type.Union([Type.Literal('x'), Type.Literal('y')], { default: 'x', description: 'Kind' }),
    });
    expect(settingsTable(schema).split('\n').slice(2)).toEqual([
      '| `A_PORT` | Port | whole number 0–65,535 | `3001` |',
      '| `A_NAME` | Name | text from 1 characters | – |',
      '| `A_LIST` | List | list, separated by commas, of text from 1 characters; from 1 of them | `a,b` |',
      '| `A_KIND` | Kind | `x`, `y` | `x` |',
    ]);
  });

  it('a setting without a description and a text without a table are refused', () => {
    expect(() => settingsTable(Type.Object({ A: Type.String() }))).toThrow('A has no description');
    expect(() => withSettingsTables('', { a: Type.Object({}) })).toThrow('no table for a');
  });
});
