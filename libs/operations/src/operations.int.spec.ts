import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  audit,
  kafkaAccessFor,
  editableReject,
  findEvents,
  listRejects,
  OperationError,
  readRejects,
  readTopic,
  redriveRejects,
  repairTable,
  traceEvent,
  type Progress,
} from './index.ts';
import { OwnTopic, ownEnv, PlantedLake, plantedRecords, purchaseMessage } from './testing/index.ts';

const { signal } = new AbortController();
const [sold, bad] = [randomUUID(), randomUUID()];
let topic: OwnTopic;
let planted: PlantedLake;

// A broker that has just started loads its group coordinator at the first use.
beforeAll(async () => {
  const first = await OwnTopic.open(ownEnv(), 1);
  try {
    await first.produce([purchaseMessage(sold, { partition: 0 })]);
    const ranges = new Map([[0, [[0, 1] as const]]]);
    const read = async (): Promise<void> =>
      await readTopic({ kafka: kafkaAccessFor(ownEnv()), topic: first.name, ranges, signal, onRecord: () => undefined });
    await vi.waitFor(read, { timeout: 60_000, interval: 500 });
  } finally {
    await first.close();
  }
});

beforeEach(async () => {
  const env = ownEnv();
  topic = await OwnTopic.open(env, 2);
  planted = await PlantedLake.open({ ...env, SINK_TOPIC: topic.name });
  await topic.produce([purchaseMessage(sold, { partition: 0 }), purchaseMessage(bad, { partition: 0, userAge: 240 })]);
  await planted.land(0, [
    { eventId: sold, at: 1_575_121_641 },
    { eventId: bad, at: 1, fate: 'rejected' },
  ]);
});
afterEach(async () => {
  planted.close();
  await topic.close();
});

function recordPhases(): { readonly phases: string[]; readonly onProgress: (progress: Progress) => void } {
  const phases: string[] = [];
  return { phases, onProgress: ({ phase }) => (phases.at(-1) === phase ? undefined : phases.push(phase)) };
}

it('the operations return plain data that JSON carries unchanged', async () => {
  const { target } = planted;
  const results = [
    await traceEvent(target, sold, { signal }),
    await findEvents(target, [sold.toUpperCase(), bad], { signal }),
    await listRejects(target.lake, { limit: 10, signal }),
    await repairTable(target.lake, { signal }),
    await audit(target, { signal }),
  ];
  expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  expect(results).toMatchObject([
    { status: 'landed', rows: [{ partition: 0, offset: 0 }] },
    [{ eventId: sold, offset: 0 }],
    { filesTotal: 1, files: [{ count: 1 }] },
    { applied: false, files: [] },
    {
      report: { verdict: 'complete' },
      log: [
        { partition: 0, low: 0, high: 2 },
        { partition: 1, low: 0, high: 0 },
      ],
    },
  ]);
});

it('a redrive reports its phases and produces a corrected reject once', async () => {
  const { target } = planted;
  const [reject] = await readRejects(target.lake, { limit: 10, signal });
  const line = editableReject(reject!);
  const texts = [{ line: 1, text: JSON.stringify({ ...line, event: { ...line.event, userAge: 24 } }) }];
  const planned = recordPhases();
  expect(await redriveRejects(target, texts, { signal, onProgress: planned.onProgress })).toMatchObject({
    applied: false,
    lines: [{ action: 'produce', eventId: bad }],
  });
  expect(planned.phases).toEqual(['check', 'search']);
  const applied = recordPhases();
  expect(await redriveRejects(target, texts, { apply: true, signal, onProgress: applied.onProgress })).toMatchObject({
    applied: true,
    lines: [{ action: 'produce', to: { key: 'test-user' } }],
  });
  expect(applied.phases).toEqual(['check', 'search', 'produce']);
  expect(await redriveRejects(target, texts, { apply: true, signal })).toMatchObject({ lines: [{ action: 'waiting' }] });
});

it('a repair reports its phases and restores a deleted file', async () => {
  const { lake } = planted;
  const entry = await planted.land(1, plantedRecords(3));
  // Only the head may lack files while a sink publishes them.
  await planted.land(1, plantedRecords(1));
  await lake.store.delete(entry.files[0]!.key);
  const seen = recordPhases();
  expect(await repairTable(lake, { apply: true, signal, onProgress: seen.onProgress })).toMatchObject({
    applied: true,
    files: [{ key: entry.files[0]!.key, action: 'publish' }],
  });
  expect(seen.phases).toEqual(['search', 'repair']);
  expect((await audit(planted.target, { signal })).report.verdict).toBe('complete');
});

it('an aborted signal ends an operation with its reason', async () => {
  const aborted = AbortSignal.abort(new Error('The caller left.'));
  await expect(traceEvent(planted.target, sold, { signal: aborted })).rejects.toThrow('The caller left.');
  await expect(redriveRejects(planted.target, [{ line: 1, text: '{}' }], { signal: aborted })).rejects.toThrow('The caller left.');
});

it('an error of an operation has a code for programs', async () => {
  const empty = await PlantedLake.open();
  try {
    const error: unknown = await audit(empty.target, { signal }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ code: 'not-found', retryable: false });
  } finally {
    empty.close();
  }
});
