import { copyFile, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases } from '@millrace/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOutbox } from './open-outbox.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const segment = `${'0'.repeat(20)}.log`;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'outbox-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

/** Overwrites a byte of the segment. */
async function write(position: number, byte: number): Promise<void> {
  const file = await open(join(directory, segment), 'r+');
  await file.write(Buffer.from([byte]), 0, 1, position);
  await file.close();
}

describe.each(readdirSync(fixtures))('the outbox that release %s wrote', (release) => {
  beforeEach(async () => await copyFile(join(fixtures, release, 'outbox-segment.bin'), join(directory, segment)));

  it('its events are published with their bytes', async () => {
    const outbox = await openOutbox(directory, 1_000_000, [purchases]);
    const found: unknown[] = [];
    await outbox.queue.replay(
      async (group) => {
        await Promise.resolve();
        for (const { item } of group) found.push([item.eventId, item.key.toString(), JSON.parse(item.value.toString()), item.headers.size]);
      },
      { signal: new AbortController().signal },
    );
    await outbox.close();
    expect(found).toEqual(
      ['01a21102-d4f6-73ec-9b7c-538bae2b2eb0', '01a21102-d4f6-73ec-9b7c-538bae2b2eb1'].map((eventId) => [
        eventId,
        'test-user',
        expect.objectContaining({ eventId, title: 'Orlando', purchaseTimestamp: 1_575_121_641 }),
        7,
      ]),
    );
  });

  it('a segment of another format stops the start, and the file stays', async () => {
    await write(7, '2'.charCodeAt(0));
    await expect(openOutbox(directory, 1_000_000, [purchases])).rejects.toMatchObject({
      code: 'other-format',
      message: expect.stringContaining(
        'has format 2, and this release reads format 1: drain the outbox with the release that wrote it',
      ) as string,
    });
    expect(await readdir(directory)).toContain(segment);
  });
});
