import type { AuditReport } from '@millrace/lake';
import { PlantedLake, plantedRecords } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let planted: PlantedLake;

beforeEach(async () => {
  planted = await PlantedLake.open();
});
afterEach(() => planted.close());

async function run(command: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const context = recordingContext(planted.env);
  const code = await operate(command, args, context);
  return { code, text: context.lines.join('\n') };
}

async function audit(): Promise<AuditReport> {
  return JSON.parse((await run('audit', '--json')).text) as AuditReport;
}

it('a repair with --apply publishes staged files again and records the others as lost', async () => {
  const { store } = planted.lake;
  const staged = await planted.land(0, plantedRecords(40));
  const lost = await planted.land(0, [...plantedRecords(10), { eventId: 'a', at: 1, fate: 'rejected' }]);
  await planted.land(0, plantedRecords(1));
  await store.delete(staged.files[0]!.key);
  for (const { key, staged: copy } of [lost.files[0]!, lost.rejects!]) {
    await store.delete(key);
    await store.delete(copy);
  }

  const dry = await run('repair');
  expect(dry.text).toContain(`0 0–39 40 publish the staged copy ${staged.files[0]!.key}`);
  expect(dry.text).toContain(`0 40–50 10 record the loss ${lost.files[0]!.key}`);
  expect(dry.text).toContain('11 rows would be recorded as lost');
  expect((await audit()).verdict).toBe('faulty');

  expect((await run('repair', '--apply')).text).toContain('11 rows were recorded as lost');
  const report = await audit();
  expect([report.verdict, report.faults, report.lostOffsets]).toEqual(['losses', [], 11]);
  expect(report.losses.map(({ kind, key, offsets }) => [kind, key, offsets])).toEqual([
    ['by-hand', lost.files[0]!.key, 10],
    ['by-hand', lost.rejects!.key, 1],
  ]);
  expect((await run('audit', '--deep')).code).toBe(2);
  expect((await run('repair')).text).toBe('Every file of table purchases is there.');
});

it('a repair releases a head whose files were deleted before they were published', async () => {
  const { store } = planted.lake;
  const head = await planted.land(1, plantedRecords(5));
  for (const { key, staged } of head.files) {
    await store.delete(key);
    await store.delete(staged);
  }
  await run('repair', '--apply');
  expect((await audit()).losses).toMatchObject([{ kind: 'by-hand', partition: 1, offsets: 5 }]);
});
