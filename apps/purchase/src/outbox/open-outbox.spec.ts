import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases } from '@millrace/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageMakerOf } from '../publish/event-message.ts';
import { seedPurchase } from '../testing/seed-purchase.ts';
import { entryOfMessage } from './message-codec.ts';
import { openOutbox, type Outbox } from './open-outbox.ts';

const messageOf = messageMakerOf(purchases);
const { signal } = new AbortController();
const firstSegment = `${'0'.repeat(20)}.log`;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'outbox-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function putEvents(outbox: Outbox, ids: readonly string[]): Promise<void> {
  const entries = ids.map((eventId) => entryOfMessage(messageOf({ eventId, ...seedPurchase() }, 'trace')));
  await outbox.queue.put(entries, { signal });
}

async function replayIds(outbox: Outbox): Promise<string[]> {
  const ids: string[] = [];
  await outbox.queue.replay(async (group) => await Promise.resolve(void ids.push(...group.map(({ id }) => id))), { signal });
  return ids;
}

describe('openOutbox', () => {
  it('an outbox keeps its events over a restart, creates its directory, and frees the space of replayed events', async () => {
    const path = join(directory, 'new', 'outbox');
    const first = await openOutbox(path, 1_000_000, [purchases]);
    await putEvents(first, ['1', '2']);
    await putEvents(first, ['3']);
    await first.close();
    const second = await openOutbox(path, 1_000_000, [purchases]);
    expect(await second.queue.size()).toBe(3);
    expect(await replayIds(second)).toEqual(['1', '2', '3']);
    expect(second.log.bytes).toBe(0);
    await second.close();
    const third = await openOutbox(path, 1_000_000, [purchases]);
    await putEvents(third, ['4']);
    expect(await replayIds(third)).toEqual(['4']);
    await third.close();
  });

  it('an outbox cuts a torn tail', async () => {
    const outbox = await openOutbox(directory, 1_000_000, [purchases]);
    await putEvents(outbox, ['1', '2']);
    await outbox.close();
    const path = join(directory, firstSegment);
    await writeFile(path, (await readFile(path)).subarray(0, -3));
    const again = await openOutbox(directory, 1_000_000, [purchases]);
    await putEvents(again, ['3']);
    expect(await replayIds(again)).toEqual(['1', '3']);
    await again.close();
  });

  it('an outbox belongs to one opener at a time', async () => {
    const outbox = await openOutbox(directory, 1_000_000, [purchases]);
    await expect(openOutbox(directory, 1_000_000, [purchases])).rejects.toMatchObject({ code: 'locked' });
    await outbox.close();
    await (await openOutbox(directory, 1_000_000, [purchases])).close();
  });
});
