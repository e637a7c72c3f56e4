import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';

/** Licences that put no condition on the code that uses the package, beyond keeping its notice. */
const permissive: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
]);

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Readonly<Record<string, LockedPackage>> };
const production = Object.entries(packages)
  .filter(([path, { dev, link }]) => path.includes('node_modules/') && dev !== true && link !== true)
  .map(([path, { version, license = 'unknown' }]) => ({ name: path.slice(path.lastIndexOf('node_modules/') + 13), version, license }));

it('every package that a service needs has a permissive licence', () => {
  expect(production.length).toBeGreaterThan(100);
  expect(production.filter(({ license }) => !permissive.has(license))).toEqual([]);
});

it('docs/licences.md lists the packages that the services need (vitest -u writes it)', async () => {
  const lines = new Set(
    production.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`).toSorted((a, b) => (a < b ? -1 : 1)),
  );
  const text = `# Licences of the dependencies

The npm packages that the services and libraries need, with those for other platforms. A test compares this page with the lock file and
refuses a licence that is not permissive. \`npx vitest run src/packages --update\` in \`tools/checks\` writes it.

| package | version | licence |
| --- | --- | --- |
${[...lines].join('\n')}
`;
  await expect(text).toMatchFileSnapshot(join(repository, 'docs', 'licences.md'));
});

it('the lock file has the native packages of every platform', () => {
  const natives = Object.keys(packages).filter((path) => path.includes('@duckdb/node-bindings-'));
  for (const platform of ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'])
    expect(natives).toContain(`node_modules/@duckdb/node-bindings-${platform}`);
});
