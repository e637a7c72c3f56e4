import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaRecord } from '@millrace/kafka';
import { readTopic } from '@millrace/operations';
import { ownEnv, OwnTopic, PlantedLake, plantedRecords, purchaseMessage } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from '../operate.ts';
import { recordingContext } from '../testing/recording-context.ts';

const [bad, worse] = [randomUUID(), randomUUID()];
let topic: OwnTopic;
let planted: PlantedLake;
let folder: string;
let file: string;

beforeEach(async () => {
  const env = ownEnv();
  folder = mkdtempSync(join(tmpdir(), 'rejects-'));
  file = join(folder, 'rejects.jsonl');
  topic = await OwnTopic.open(env, 2);
  planted = await PlantedLake.open({ ...env, SINK_TOPIC: topic.name });
  // The log of partition 1 as the lake was planted from it.
  await topic.produce([
    purchaseMessage(bad, { partition: 1, userAge: 240 }),
    purchaseMessage(randomUUID(), { partition: 1 }),
    purchaseMessage(worse, { partition: 1, userAge: 240 }),
  ]);
  await planted.land(1, [{ eventId: bad, at: 1, fate: 'rejected' }, ...plantedRecords(1), { eventId: worse, at: 2, fate: 'rejected' }]);
});
afterEach(async () => {
  planted.close();
  await topic.close();
  rmSync(folder, { recursive: true });
});

async function rejects(...args: string[]): Promise<{ code: number; text: string }> {
  const context = recordingContext(planted.env);
  const code = await operate('rejects', args, context);
  return { code, text: context.lines.join('\n') };
}

async function jsonOf<T>(...args: string[]): Promise<T> {
  return JSON.parse((await rejects(...args, '--json')).text) as T;
}

async function records(): Promise<(KafkaRecord & { readonly partition: number })[]> {
  const found: (KafkaRecord & { readonly partition: number })[] = [];
  const ranges = new Map(
    (await topic.admin.fetchTopicOffsets(topic.name)).map(({ partition, low, high }) => [
      partition,
      [[Number(low), Number(high)] as const],
    ]),
  );
  await readTopic({
    kafka: planted.target.kafka,
    topic: topic.name,
    ranges,
    signal: new AbortController().signal,
    onRecord: ({ partition, record: { offset, timestamp, key, value, headers } }) =>
      found.push({ partition, offset, timestamp, key, value, headers }),
  });
  return found;
}

function correct(change: (event: Record<string, unknown>, n: number) => void): void {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: Record<string, unknown> });
  lines.forEach(({ event }, n) => change(event, n));
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

it('the commands list and show the rejects', async () => {
  expect((await rejects('list')).text).toContain('1 0–2 2 userAge must be at most 150');
  expect(await jsonOf('list')).toMatchObject({
    filesTotal: 1,
    files: [{ partition: 1, from: 0, to: 3, count: 2, reasons: [{ count: 2 }] }],
  });
  const { text } = await rejects('show', '1/2');
  expect(text).toContain(`1/2  userAge must be at most 150`);
  expect(text).toContain('"userAge":240');
  expect(await jsonOf('show')).toMatchObject({
    rejects: [
      { partition: 1, offset: 0, event: { eventId: bad, userAge: 240 } },
      { offset: 2, event: { eventId: worse } },
    ],
  });
  await expect(rejects('show', '1/1')).rejects.toThrow('Offset 1 of partition 1 is not a reject');
  await expect(rejects('drop')).rejects.toThrow('"drop" is not known here: list, show or redrive.');
});

it('a repeated redrive produces a corrected reject once', async () => {
  await rejects('show', '--out', file);
  await expect(rejects('show', '--out', file)).rejects.toThrow('is there already');
  correct((event, n) => {
    if (n === 0) event['userAge'] = 24;
  });

  const dry = await rejects('redrive', file);
  expect(dry.code).toBe(1);
  expect(dry.text).toContain(`1 1/0 ${bad} produce to partition`);
  expect(dry.text).toContain('refused: it still breaks the contract: userAge must be at most 150');
  expect(dry.text).toContain(`1 event would be produced to ${topic.name}, 0 skipped, 1 refused. Nothing was done: --apply does it.`);
  expect(await records()).toHaveLength(3);

  interface Redriven {
    lines: { action: string; to?: { partition: number; offset: string } }[];
  }
  const applied = await jsonOf<Redriven>('redrive', file, '--apply');
  const { partition, offset } = applied.lines[0]!.to!;
  const produced = (await records()).find((record) => record.partition === partition && record.offset === Number(offset));
  expect(produced?.key?.toString()).toBe('test-user');
  expect(JSON.parse(produced!.value!.toString())).toMatchObject({ eventId: bad, userAge: 24 });
  expect(Object.fromEntries(produced!.headers.map(({ name, value }) => [name, value?.toString()]))).toMatchObject({
    ce_id: bad,
    ce_type: 'com.millrace.bookstore.purchase.v1',
    ce_source: '/millrace/purchase',
    ce_specversion: '1.0',
    ce_time: '1970-01-01T00:00:01.000Z',
    'content-type': 'application/json',
  });

  // It waits to land: a second run sees it in the topic.
  expect((await rejects('redrive', file, '--apply')).text).toContain(
    `nothing: it waits to land, in partition ${partition}, offset ${offset}`,
  );
  expect(await records()).toHaveLength(4);

  // And a third one, once it is a row, in the table.
  const before = partition === 1 ? [] : plantedRecords(Number(offset));
  await planted.land(partition, [...before, { eventId: bad, at: 1 }]);
  expect((await rejects('redrive', file, '--apply')).text).toContain(
    `nothing: it is a row already, of partition ${partition}, offset ${offset}`,
  );
  expect(await records()).toHaveLength(4);
  expect(await topic.leftGroups()).toEqual([]);
});

it('a redrive refuses a line that is not a correction of a reject', async () => {
  await rejects('show', '--out', file);
  correct((event, n) => {
    event['userAge'] = 24;
    if (n === 1) event['eventId'] = randomUUID();
  });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `${text}${text.split('\n')[0]}\n{"topic":"${topic.name}","partition":1,"offset":1,"event":{}}\nno\n`);
  const { code, text: answer } = await rejects('redrive', file);
  expect(code).toBe(1);
  for (const reason of [
    `eventId must stay ${worse}`,
    'line 1 has the same event',
    'no entry of the ledger rejected this offset',
    'the line is not JSON',
  ])
    expect(answer).toContain(`refused: ${reason}`);
  await expect(rejects('redrive', join(folder, 'none.jsonl'))).rejects.toThrow('cannot be read');
});
