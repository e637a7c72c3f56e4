import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { readProjectGraph } from './project-graph.ts';

/** Files whose errors no caller handles: tests, their helpers and the simulation. The examples depend on nothing of this repository. */
const testFile = /\.(spec|conformance)\.ts$|\/testing(-[^/]*\.ts$|\/)|\/simulation\/|^(libs\/testing|examples)\//;

/** Names of the classes in a source text that extend `Error` directly. */
function plainErrorsOf(text: string): string[] {
  return [...text.matchAll(/^\s*(?:export )?(?:abstract )?class (\w+)(?:<[^{]*>)? extends Error\b/gm)].map((match) => match[1]!);
}

describe('the errors of the workspace', () => {
  it('every error class extends CodedError, which alone extends Error', () => {
    const sources = readProjectGraph().flatMap(({ folder }) =>
      readdirSync(join(repository, folder, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/src/${path}`),
    );
    const checked = sources.filter((file) => file.endsWith('.ts') && !testFile.test(file));
    expect(checked.length).toBeGreaterThan(300);
    expect(checked.flatMap((file) => plainErrorsOf(textOf(file)))).toEqual(['CodedError']);
  });

  it('a class that extends Error directly is reported', () => {
    expect(plainErrorsOf("import a from 'b';\nexport class A extends Error {}\nclass B<C> extends Error {}\nclass D extends A {}")).toEqual(
      ['A', 'B'],
    );
  });
});
