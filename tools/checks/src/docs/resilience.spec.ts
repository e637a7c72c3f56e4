import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { pipelineCells, type ShownSettings } from './pipeline-cells.ts';

const page = textOf('docs/resilience.md');
const load = { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 };

async function imported(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(join(repository, path)).href)) as Record<string, unknown>;
}

/** A spec with every default filled in. */
async function settingsOf(spec: object): Promise<ShownSettings> {
  const { createPipeline } = (await imported('libs/resilience/src/index.ts')) as {
    createPipeline: (spec: object, deps: object) => { settings(): ShownSettings; close(): void };
  };
  const pipeline = createPipeline(spec, { load });
  pipeline.close();
  return pipeline.settings();
}

/** The pipelines that a file declares. */
async function pipelinesOf(path: string, declaredAs: string): Promise<readonly (readonly [name: string, settings: ShownSettings])[]> {
  const specs = (await imported(path))[declaredAs] as Record<string, object>;
  return await Promise.all(Object.entries(specs).map(async ([name, spec]) => [name, await settingsOf({ ...spec, name })] as const));
}

/** Rows of the tables of the page, as their cells. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(' | '));

/** The first TypeScript block of the page, with the library's sources instead of its package. */
const example = /```ts\n([^]*?)```/
  .exec(page)![1]!
  .replace("'@millrace/resilience'", `'${pathToFileURL(join(repository, 'libs/resilience/src/index.ts')).href}'`);

/** Runs the example and returns the values that it prints. */
async function runExample(): Promise<unknown[]> {
  const printed: unknown[] = [];
  vi.spyOn(console, 'log').mockImplementation((value) => void printed.push(value));
  const folder = mkdtempSync(join(tmpdir(), 'example-'));
  try {
    writeFileSync(join(folder, 'example.ts'), example);
    await import(pathToFileURL(join(folder, 'example.ts')).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return printed;
}

describe('the example of docs/resilience.md', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('the example prints the answer of the service', async () => {
    const fetchMock = vi.spyOn(globalThis, 'fetch').mockResolvedValue(Response.json(1.08));
    expect(await runExample()).toEqual([1.08]);
    expect(fetchMock).toHaveBeenCalledWith('https://rates.example/NL', { signal: expect.any(AbortSignal) as AbortSignal });
  });

  it('the example prints the stub when the service fails', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(Object.assign(new Error('wrong credentials'), { retryable: false }));
    expect(await runExample()).toEqual([1]);
  });

  it('the example is short enough for a README', () => {
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(12);
  });
});

describe('docs/resilience.md', () => {
  it.each([
    ['apps/purchase/src/resilience.ts', 'purchasePipelines', ['purchase API']],
    ['apps/sink/src/resilience.ts', 'sinkPipelines', ['sink']],
    ['apps/query-api/src/resilience.ts', 'queryPipelines', ['query API', 'query worker']],
    ['libs/runtime/src/auth/jwks-pipeline.ts', 'authPipelines', ['each service']],
  ] as const)('the document shows every pipeline of %s with its settings and fallbacks', async (path, declaredAs, services) => {
    const pipelines = await pipelinesOf(path, declaredAs);
    expect(pipelines.length).toBeGreaterThan(0);
    const shown = rows
      .filter(([service]) => (services as readonly string[]).includes(service!))
      .map(([, name, dependency, , ...cells]) => [name, [dependency, ...cells.slice(0, 4)]]);
    expect(shown).toEqual(pipelines.map(([name, settings]) => [`\`${name}\``, pipelineCells(settings)]));
    for (const [name, { fallbacks }] of pipelines) {
      const instead = rows
        .find(([service, pipeline]) => (services as readonly string[]).includes(service!) && pipeline === `\`${name}\``)
        ?.at(-1);
      for (const kind of ['cache', 'queue', 'stub', 'silent'])
        expect(instead?.includes(`**${kind}**`), `${name}, ${kind}`).toBe(fallbacks.includes(kind));
    }
  });

  it('the document shows the pipeline of a purchase API with an outbox, with its settings and fallback', async () => {
    const { readPurchaseConfig } = (await imported('apps/purchase/src/config.ts')) as { readPurchaseConfig: (env: object) => object };
    const { publishSpec } = (await imported('apps/purchase/src/resilience.ts')) as {
      publishSpec: (config: object, queue: object) => object;
    };
    const settings = await settingsOf(publishSpec(readPurchaseConfig({}), {}));
    const [row] = rows.filter(([service]) => service === 'purchase API with an outbox');
    expect(row?.slice(1, 3)).toEqual(['`publish`', '`kafka`']);
    expect([row![2], ...row!.slice(4, 8)]).toEqual(pipelineCells(settings));
    expect([row!.at(-1)!.includes('**queue**'), settings.fallbacks]).toEqual([true, ['queue']]);
  });

  it('the document lists every event of the library and no other', () => {
    const types = [...textOf('libs/resilience/src/telemetry/pipeline-event.ts').matchAll(/readonly type: '([A-Za-z]+)'/g)].map(
      ([, type]) => type!,
    );
    expect(types.length).toBeGreaterThan(15);
    const table = page.slice(page.indexOf('## Events'), page.indexOf('## Operator interfaces'));
    expect([...table.matchAll(/^\| `([A-Za-z]+)` \|/gm)].map(([, type]) => type)).toEqual(types);
  });

  it('the document gives the default of every option of the library', async () => {
    const shown = new Map(
      rows.flatMap(([options, , defaults]) => {
        const names = [...(options ?? '').matchAll(/`((?:timeout|retry|breaker|bulkhead|shed|cache)\.[A-Za-z.]+)`/g)].map(
          ([, name]) => name!,
        );
        const values = names.length > 1 ? (defaults ?? '').split(', ') : [defaults ?? ''];
        return names.map((name, index) => [name, values[index]] as const);
      }),
    );
    const every = { retry: {}, breaker: {}, bulkhead: {}, shed: {}, cache: {} };
    const settings = (await settingsOf({ name: 'all', ...every })) as unknown as Record<string, object>;
    const real = ['timeout', ...Object.keys(every)].flatMap((policy) => numbersOf(policy, settings[policy]!));
    // The page describes these two defaults in words: half of another value, and none.
    const inWords = { 'breaker.slowCallMs': 'half of `attemptMs`', 'timeout.connectMs': 'none' };
    expect(Object.fromEntries(shown)).toEqual({ ...Object.fromEntries(real), ...inWords });
  });

  it('the document names every pipeline metric of /metrics', () => {
    const names = [...textOf('libs/runtime/src/pipelines/telemetry/prometheus-instruments.ts').matchAll(/'(millrace_[a-z_]+)'/g)].map(
      ([, name]) => name!,
    );
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

function numbersOf(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => numbersOf(`${path}.${name}`, inner));
  return [[path, typeof value === 'number' ? value.toLocaleString('en-US') : String(value)]];
}
