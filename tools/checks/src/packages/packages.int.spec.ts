import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../repository.ts';

const execute = promisify(execFile);
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** The published packages; the client depends on the other. */
const names = ['resilience', 'client'] as const;

let folder: string;
/** The packed file of each package. */
const packed = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-packages-'));
  const workspaces = names.flatMap((name) => ['-w', `libs/${name}`]);
  await execute('npm', ['pack', '--pack-destination', folder, ...workspaces], { cwd: repository });
  const files = await readdir(folder);
  for (const name of names)
    packed.set(
      name,
      join(
        folder,
        files.find((file) => file.startsWith(`millrace-${name}-`))!,
      ),
    );
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe.each(names)('the package of %s', (name) => {
  it('publint finds no fault', async () => {
    const { buffer, byteOffset, byteLength } = await readFile(packed.get(name)!);
    const { messages } = await publint({ pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) } });
    expect(messages).toEqual([]);
  });

  it('the types are found by every resolution that knows `exports`, and CommonJS loads the ES module', async () => {
    const check = await checkPackage(createPackageFromTarballData(await readFile(packed.get(name)!)));
    if (!check.types) throw new Error('The package has no types.');
    const { problems } = check;
    // Node loads an ES module by `require` since 20.19. Only TypeScript's oldest resolution ignores `exports`.
    const known = problems.filter(
      ({ kind, ...problem }) =>
        kind === 'CJSResolvesToESM' ||
        (kind === 'NoResolution' && 'resolutionKind' in problem && problem.resolutionKind === 'node10' && problem.entrypoint !== '.'),
    );
    expect(problems).toEqual(known);
  });

  it('the package holds its licence and description, and no test', async () => {
    const { stdout } = await execute('tar', ['-tzf', packed.get(name)!]);
    const files = stdout.trim().split('\n');
    expect(files).toContain('package/dist/index.js');
    expect(files).toEqual(expect.arrayContaining(['package/README.md', 'package/LICENSE']));
    expect(files.filter((file) => /\.spec\.|\/testing\//.test(file))).toEqual([]);
  });
});

const uses = `
const pipeline = createPipeline({ name: 'rates', timeout: { attemptMs: 500 }, retry: { attemptsMax: 2 }, breaker: {} });
const run = async () => {
  const answer = await pipeline.execute(async () => ({ EUR: 1 }), { idempotent: true });
  const client = new PurchaseClient({ url: 'http://127.0.0.1:9' });
  console.log(String(answer.EUR), typeof client.post, MillraceError.name);
};
void run();
`;

describe.each([
  {
    type: 'module',
    file: 'main.ts',
    source: `import { createPipeline } from '@millrace/resilience';
import { MillraceError, PurchaseClient } from '@millrace/client';
${uses}`,
  },
  {
    type: 'commonjs',
    file: 'main.ts',
    source: `import resilience = require('@millrace/resilience');
import client = require('@millrace/client');
const { createPipeline } = resilience;
const { MillraceError, PurchaseClient } = client;
${uses}`,
  },
])('an empty project of the type $type', ({ type, file, source }) => {
  it('installs both packages, compiles against their types without skipping them, and runs', async () => {
    const project = await mkdtemp(join(folder, `${type}-`));
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type }));
    await execute('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed.values()], { cwd: project });
    await writeFile(join(project, file), source);
    const compilerOptions = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], strict: true, types: [], outDir: 'out' };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
    await execute(process.execPath, [compiler, '-p', project]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    const { stdout } = await execute(process.execPath, [join(project, 'out', 'main.js')]);
    expect(stdout).toBe('1 function MillraceError\n');
  });
});
