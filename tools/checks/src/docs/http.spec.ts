import { problemTypes } from '@millrace/contracts';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { differences, snippetsOf } from './snippets.ts';

const http = textOf('docs/http.md');

describe('docs/http.md', () => {
  it('the document lists every kind of problem with its status', () => {
    const rows = [...http.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, name, status]) => [name, Number(status)]);
    expect(rows).toEqual(Object.entries(problemTypes).map(([name, { status }]) => [name, status]));
  });

  it('the document mentions every endpoint of the apps', () => {
    const controllers = readdirSync(join(repository, 'apps'), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.controller.ts') && !/node_modules|dist/.test(path),
    );
    const routes = controllers.flatMap((path) => {
      const text = textOf(`apps/${path}`);
      const base = /@Controller\('([^']+)'\)/.exec(text)?.[1];
      return base === undefined
        ? []
        : [...text.matchAll(/@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)/g)].map(
            ([, method, rest]) => [method!.toUpperCase(), `/${base}${rest === undefined ? '' : `/${rest}`}`] as const,
          );
    });
    expect(routes.length).toBeGreaterThan(7);
    expect(
      routes
        .filter(([, path]) => !http.includes(`\`${path}\``) && !http.includes(` ${path}\``) && !http.includes(`\`GET ${path}\``))
        .map((route) => route.join(' ')),
    ).toEqual([]);
  });

  it('the document shows the answer to every call', () => {
    const snippets = snippetsOf(http);
    expect(snippets.length).toBeGreaterThan(15);
    expect(snippets.filter(({ answer }) => answer === undefined).map(({ script }) => script)).toEqual([]);
    for (const { answer } of snippets) if (answer?.language === 'json') JSON.parse(answer.text);
  });
});

describe('differences', () => {
  it('differences finds missing and new fields, other types and other fixed values', () => {
    const shown = { state: 'queued', id: 'a', n: 1, list: [{ name: 'x' }], detail: '…', rows: [[1]] };
    expect(differences(shown, { state: 'queued', id: 'b', n: 2, list: [{ name: 'x' }, { name: 'y' }], detail: 'any', rows: [] })).toEqual(
      [],
    );
    expect(differences(shown, { state: 'running', id: 3, list: [], detail: 'any', rows: [], more: true })).toEqual([
      '.more is not shown',
      '.state is "running", not "queued"',
      '.id is number, not string',
      '.n is missing',
      '.list[0] is missing',
    ]);
    // These fields are absent when the table changed during the query.
    expect(differences({ asOf: [], cached: {}, id: 'a' }, { id: 'b' })).toEqual([]);
    expect(differences({ id: 'a' }, { id: 'b', asOf: [] })).toEqual(['.asOf is not shown']);
  });
});
