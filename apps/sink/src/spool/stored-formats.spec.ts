import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BatchFiles } from './spool.ts';
import { readSpooled } from './spool-manifest.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const sha256Of = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(readdirSync(fixtures))('the spool that release %s wrote', (release) => {
  const bytesOf = (name: string): Buffer => readFileSync(join(fixtures, release, name));
  const filesWith = (manifest: Uint8Array): BatchFiles =>
    ({
      batchId: 'b1',
      manifest: async () => await Promise.resolve(manifest),
      hash: async (name: string) => await Promise.resolve(sha256Of(bytesOf(name))),
      body: (name: string) => bytesOf(name),
    }) as unknown as BatchFiles;

  it('a batch is read with its entry and its files', async () => {
    const { entry, bodies, takenAt } = await readSpooled(filesWith(bytesOf('spool-manifest.txt')));
    expect({ from: entry.from, to: entry.to, takenAt, files: bodies.map(({ file, bytes }) => [file, bytes]) }).toEqual({
      from: 774,
      to: 1043,
      takenAt: 1_796_001_279_156,
      files: [['rejects.ndjson', 29]],
    });
  });

  it('a batch of a later format is refused with both formats', async () => {
    const text = bytesOf('spool-manifest.txt').toString().split('\n')[1]!.replace('{"v":1', '{"v":2');
    await expect(readSpooled(filesWith(Buffer.from(`${sha256Of(text)}\n${text}\n`)))).rejects.toThrow(
      'batch b1 cannot be read back from the spool: its manifest has format 2, and this release reads format 1',
    );
  });
});
