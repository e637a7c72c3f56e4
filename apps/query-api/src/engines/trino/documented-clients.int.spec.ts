import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestLake, testParts, type TestLake } from '../../testing-lake.ts';
import { conformanceRows, skipNote } from '../query-engine.conformance.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../../../../docs/bi.md'), 'utf8');
const { trinoUrl = '', trinoMissing: missing } = testParts;
const cli = { artifact: 'io.trino:trino-cli:476:jar:executable', file: 'trino-cli-476-executable.jar' };

// The clients are fetched once.
const patience = 300_000;

describe.skipIf(missing !== undefined)(`the clients of docs/bi.md${skipNote(missing)}`, () => {
  let lake: TestLake;
  let python: string;

  beforeAll(async () => {
    lake = await openTestLake();
    await lake.land(conformanceRows);
    python = await pythonEnvironment('trino-client-venv', 'libs/testing/python/requirements-trino.txt');
    const folder = cacheFolder();
    if (!existsSync(join(folder, cli.file)))
      await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${cli.artifact}`, `-DoutputDirectory=${folder}`]);
  }, patience);
  afterAll(async () => await lake?.close());

  const cacheFolder = (): string => dirname(dirname(dirname(python)));

  /** The example of the page in a language, with the addresses and names of the test, and its documented output. */
  function exampleOf(language: 'sh' | 'python'): { readonly code: string; readonly output: string } {
    const [, code, output] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\`\\n\\n\`\`\`text\\n([^]*?)\`\`\``).exec(page)!;
    const { host, hostname, port } = new URL(trinoUrl);
    return {
      code: code!
        .replaceAll('127.0.0.1:8080', host)
        .replaceAll('host="127.0.0.1", port=8080', `host="${hostname}", port=${port}`)
        .replaceAll('bookstore', lake.database),
      output: output!,
    };
  }

  it('the command line gives the documented rows', async () => {
    const { code, output } = exampleOf('sh');
    const { stdout } = await run('sh', ['-c', code.replace(cli.file, join(cacheFolder(), cli.file))]);
    // The page has no spaces at the ends of lines.
    expect(stdout.replaceAll(/ +$/gm, '')).toBe(output);
  });

  it('the Python client gives the documented rows', async () => {
    const { code, output } = exampleOf('python');
    expect((await run(python, ['-c', code])).stdout).toBe(output);
  });
});
