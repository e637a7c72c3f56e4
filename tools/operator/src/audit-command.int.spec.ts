import { DeletePartitionCommand } from '@aws-sdk/client-glue';
import { glueClient, type AuditReport } from '@millrace/lake';
import { ownEnv, OwnTopic, PlantedLake, plantedRecords, purchaseMessage } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let planted: PlantedLake;

beforeEach(async () => {
  planted = await PlantedLake.open();
  await planted.land(0, plantedRecords(40));
  await planted.land(0, [
    ...plantedRecords(10),
    { eventId: 'a', at: 1, fate: 'rejected' },
    { eventId: 'b', at: 1, fate: 'dropped' },
    { eventId: 'c', at: 1, fate: 'absent' },
  ]);
  await planted.land(3, plantedRecords(5, 1_575_158_397));
});
afterEach(() => planted.close());

async function audit(...args: string[]): Promise<{ code: number; report: AuditReport; text: string }> {
  const context = recordingContext(planted.env);
  const code = await operate('audit', [...args, '--json'], context);
  const human = recordingContext(planted.env);
  expect(await operate('audit', args, human)).toBe(code);
  return { code, report: JSON.parse(context.lines.join('\n')) as AuditReport, text: human.lines.join('\n') };
}

it('the audit proves a table complete, by footers and by every byte', async () => {
  for (const args of [[], ['--deep']]) {
    const { code, report, text } = await audit(...args);
    expect([code, report.verdict, report.faults]).toEqual([0, 'complete', []]);
    expect(
      report.lanes.map(({ partition, spanned, rows, rejected, dropped, absent }) => [partition, spanned, rows, rejected, dropped, absent]),
    ).toEqual([
      [0, 53, 50, 1, 1, 1],
      [3, 5, 5, 0, 0, 0],
    ]);
    expect(text).toContain('Table purchases: complete. Each of the first 58 events of the log is accounted for once; 55 are rows.');
  }
});

it('the deep audit compares compacted files with the base by place and by value', async () => {
  const projection = planted.projection();
  await planted.land(0, plantedRecords(3));
  await projection.round();
  expect(await planted.compact(projection)).toMatchObject({ outcome: 'committed', files: 4, rows: 56 });
  await planted.land(0, plantedRecords(2));
  const shallow = await audit();
  expect([shallow.code, shallow.report.projection]).toEqual([0, expect.objectContaining({ commit: 2, files: 2, rows: 58 })]);
  expect(shallow.text).toMatch(/^Iceberg table: 58 rows in 2 files, .* at commit 2\.$/m);
  const deep = await audit('--deep');
  expect([deep.code, deep.report.projection?.comparedRows, deep.report.faults]).toEqual([0, 56, []]);
  expect(deep.text).toContain('at commit 2; 56 compacted rows compared with the base.');
});

it.each([
  ['a changed value', 'SELECT * REPLACE (user_age + 1 AS user_age) FROM RELATION', /their 56 rows have other values\.$/],
  [
    'a row in the place of another',
    'SELECT * REPLACE (greatest(_offset, 1) AS _offset) FROM RELATION',
    /their rows have 54 places in the topic, and those of the base 56\.$/,
  ],
  ['a missing row', 'SELECT * FROM RELATION WHERE _offset > 0', /they have 54 rows of the base's 56\.$/],
])('the deep audit finds %s in a compacted file', async (_what, sql, fault) => {
  const projection = planted.projection();
  await planted.land(0, plantedRecords(3));
  await projection.round();
  await planted.compact(projection, (relation) => sql.replace('RELATION', relation));
  expect((await audit()).code).toBe(0);
  const { code, report } = await audit('--deep');
  expect([code, report.verdict, report.faultCount]).toEqual([1, 'faulty', 1]);
  expect(report.faults[0]).toMatchObject({ kind: 'projection', what: expect.stringMatching(fault) as string });
});

it('the audit finds a planted loss', async () => {
  const entry = await planted.land(0, plantedRecords(7));
  await planted.land(0, plantedRecords(1));
  await planted.lake.store.delete(entry.files[0]!.key);
  for (const { staged } of entry.files) await planted.lake.store.delete(staged);
  const { code, report, text } = await audit();
  expect([code, report.faults.map(({ kind }) => kind)]).toEqual([1, ['missing-file', 'wrong-count']]);
  expect(text).toContain(`${entry.files[0]!.key} is not there: 7 rows of partition 0 were deleted by hand.`);
});

it('the audit finds a planted stray file', async () => {
  const entry = await planted.land(3, plantedRecords(2));
  await planted.lake.store.copy(entry.files[0]!.key, entry.files[0]!.key.replace(entry.id, 'copy'));
  const { code, report, text } = await audit();
  expect([code, report.faults.map(({ kind }) => kind)]).toEqual([1, ['stray-file']]);
  expect(text).toContain('readers see rows that were never accepted, or see them twice');
});

it('the deep audit finds a planted duplicate in a file with the right number of rows and bytes', async () => {
  const [record] = plantedRecords(1);
  const { from } = await planted.land(3, [record!, { ...record!, shown: 5 }]);
  expect(from).toBe(5);
  expect((await audit()).code).toBe(0);
  const { code, report } = await audit('--deep');
  expect([code, report.faults.map(({ kind }) => kind)]).toEqual([1, ['wrong-file', 'wrong-count']]);
  expect(report.faults[0]!.what).toMatch(/ has offset 5, which another row has, too\.$/);
});

it('a table is not complete when retention removed events that have not landed', async () => {
  const topic = await OwnTopic.open(planted.env, 2);
  const behind = await PlantedLake.open({ ...ownEnv(), SINK_TOPIC: topic.name });
  try {
    await behind.land(0, plantedRecords(5));
    await topic.produce(Array.from({ length: 14 }, (_, n) => purchaseMessage(`e${n}`, { partition: n < 10 ? 0 : 1 })));
    const json = async (): Promise<{ code: number; report: AuditReport }> => {
      const context = recordingContext(behind.env);
      const code = await operate('audit', ['--json'], context);
      return { code, report: JSON.parse(context.lines.join('\n')) as AuditReport };
    };
    expect((await json()).code).toBe(0);
    await topic.admin.deleteTopicRecords({
      topic: topic.name,
      partitions: [
        { partition: 0, offset: '8' },
        { partition: 1, offset: '4' },
      ],
    });
    const { code, report } = await json();
    expect([code, report.verdict, report.lostOffsets, report.losses.map(({ partition, offsets }) => [partition, offsets])]).toEqual([
      2,
      'losses',
      7,
      [
        [0, 3],
        [1, 4],
      ],
    ]);
    const human = recordingContext(behind.env);
    expect(await operate('audit', [], human)).toBe(2);
    expect(human.lines.join('\n')).toContain('Offsets [5, 8) of partition 0 are no longer in the log and not recorded yet');
  } finally {
    behind.close();
    await topic.close();
  }
});

it('the audit finds a row count that differs from the entry', async () => {
  const [one, two] = [await planted.land(3, plantedRecords(3)), await planted.land(3, plantedRecords(2))];
  await planted.lake.store.copy(two.files[0]!.key, one.files[0]!.key);
  const { code, report } = await audit();
  expect([code, report.faults.map(({ kind }) => kind)]).toEqual([1, ['wrong-file', 'wrong-count']]);
});

it('the audit finds a partition that the catalog lost', async () => {
  const glue = glueClient();
  await glue.send(
    new DeletePartitionCommand({ DatabaseName: planted.env['LAKE_DATABASE'], TableName: 'purchases', PartitionValues: ['2019-12-01'] }),
  );
  glue.destroy();
  const { code, report, text } = await audit();
  expect([code, report.catalog, report.faults.map(({ kind }) => kind)]).toEqual([
    1,
    { registered: 1, missing: ['2019-12-01'], empty: [] },
    ['catalog'],
  ]);
  expect(text).toContain('2019-12-01 has files and is not registered in the catalog: engines do not see them.');
});

it('an audit of an unknown table lists the tables that exist', async () => {
  await expect(operate('audit', ['--table', 'purchasess'], recordingContext(planted.env))).rejects.toThrow(
    'Nothing has landed in a table "purchasess"',
  );
  await expect(operate('audit', ['--table', 'purchasess'], recordingContext(planted.env))).rejects.toThrow(
    'Tables with a ledger: purchases.',
  );
});

it('an audit of a store that does not answer names its address', async () => {
  const env = { ...planted.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  await expect(operate('audit', [], recordingContext(env))).rejects.toThrow(
    'The store at http://127.0.0.1:1 does not answer: start it with ./millrace start aws',
  );
  await expect(operate('audit', [], recordingContext({ ...planted.env, LAKE_BUCKET: 'absent-bucket' }))).rejects.toThrow(
    'There is no bucket absent-bucket',
  );
});
