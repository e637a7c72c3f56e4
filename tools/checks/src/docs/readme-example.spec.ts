import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';

type Example = (createPipeline: unknown, fetch: Fetch) => Promise<unknown>;

type Fetch = (url: string, options: { readonly signal: AbortSignal }) => Promise<{ json(): Promise<unknown> }>;

/** The TypeScript example of the README as a function of the library and of `fetch`; it returns the answer. */
async function exampleOf(readme: string): Promise<(fetch: Fetch) => Promise<unknown>> {
  const source = /```ts\n(import \{ createPipeline \} from '@millrace\/resilience';\n[^]*?)```/.exec(readme)?.[1];
  if (source === undefined) throw new Error('README.md has no example that imports createPipeline from @millrace/resilience');
  const library = pathToFileURL(join(repository, 'libs/resilience/src/index.ts')).href;
  const { createPipeline } = (await import(library)) as Record<string, unknown>;
  const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => Example;
  const run = new AsyncFunction('createPipeline', 'fetch', `${source.replace(/^import [^\n]*\n/, '')}\nreturn answer;`);
  return async (fetch) => await run(createPipeline, fetch);
}

async function refuse(): Promise<never> {
  throw Object.assign(new Error('no such account'), { retryable: false });
}

describe('the example of README.md', () => {
  it('the example returns the answer of the dependency', async () => {
    const example = await exampleOf(textOf('README.md'));
    const answer = await example(async (_url, { signal }) => ({ json: async () => ({ USD: 1.1, aborted: signal.aborted }) }));
    expect(answer).toEqual({ USD: 1.1, aborted: false });
  });

  it('the example returns the stub when the dependency fails permanently', async () => {
    const example = await exampleOf(textOf('README.md'));
    expect(await example(refuse)).toEqual({ EUR: 1 });
  });
});
