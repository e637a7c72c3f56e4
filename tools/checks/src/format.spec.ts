import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repository } from './repository.ts';

const run = promisify(execFile);
const formatter = join(repository, 'node_modules', '.bin', 'oxfmt');

it('every source file is formatted (`npm run format` formats them)', async () => {
  const { stdout } = await run(formatter, ['--list-different', '.'], { cwd: repository }).catch((error: { stdout: string }) => error);
  expect(stdout.split('\n').filter(Boolean)).toEqual([]);
});

it('an unformatted file is found', async () => {
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf 'const a = "b"' | '${formatter}' --stdin-filepath x.ts`], {
    cwd: repository,
  });
  expect(stdout).toBe("const a = 'b';\n");
});
