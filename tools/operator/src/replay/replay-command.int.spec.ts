import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GlueCatalog, glueClient } from '@millrace/lake';
import { landedEnds, openTarget, type ReplayReport } from '@millrace/operations';
import { ownEnv, OwnTopic, PlantedLake, purchaseMessage } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from '../operate.ts';
import { recordingContext } from '../testing/recording-context.ts';

const root = `${import.meta.dirname}/../../../..`;
const ids = Array.from({ length: 300 }, () => randomUUID());
// Each replay starts a sink process.
const testMsMax = 300_000;

let topic: OwnTopic;
let planted: PlantedLake;

beforeEach(async () => {
  const env = ownEnv();
  topic = await OwnTopic.open(env, 2);
  planted = await PlantedLake.open({ ...env, SINK_TOPIC: topic.name, SINK_GROUP_ID: topic.name });
  await topic.produce(ids.map((id, n) => purchaseMessage(id, { partition: n % 2, at: 1_575_121_641 + (n % 3) * 86_400, bookId: id })));
});
afterEach(async () => {
  planted.close();
  await topic.close();
});

/** The live table as the sink would have made it; `change` tampers with records. */
async function landLive(change: (n: number) => { eventId?: string } = () => ({})): Promise<void> {
  for (const partition of [0, 1]) {
    const records = ids
      .map((eventId, n) => ({ eventId, bookId: eventId, at: 1_575_121_641 + (n % 3) * 86_400, ...change(n), n }))
      .filter(({ n }) => n % 2 === partition);
    await planted.land(partition, records.slice(0, 70));
    await planted.land(partition, records.slice(70));
  }
}

async function replay(...args: string[]): Promise<{ code: number; report: ReplayReport }> {
  const context = recordingContext(planted.env, root);
  const code = await operate('replay', [...args, '--json'], context);
  return { code, report: JSON.parse(context.lines.join('\n')) as ReplayReport };
}

async function locations(): Promise<string[]> {
  const glue = glueClient();
  try {
    const { stream, bucket } = planted.lake;
    return (await new GlueCatalog(glue, stream, bucket, undefined, stream.database).partitions())
      .map(({ location }) => location)
      .toSorted();
  } finally {
    glue.destroy();
  }
}

it(
  'a replay rebuilds the table from the topic, finds it equal, and replaces the live one',
  async () => {
    await landLive();
    const { code, report } = await replay();
    expect(report.differences).toEqual([]);
    expect([code, report.equal, report.switched, report.comparedOffsets, report.notReplayableOffsets]).toEqual([0, true, false, 300, 0]);
    expect(report.days.map(({ dt, liveRows, replayRows, replayEvents }) => [dt, liveRows, replayRows, replayEvents])).toEqual([
      ['2019-11-30', 100, 100, 100],
      ['2019-12-01', 100, 100, 100],
      ['2019-12-02', 100, 100, 100],
    ]);
    expect(await topic.leftGroups()).toEqual([]);

    // A second run replays the new event, too, and points the readers' table at the replay.
    await topic.produce([purchaseMessage(randomUUID(), { partition: 0, at: 1_600_000_000 })]);
    const switched = await replay('--into', report.replay, '--switch');
    expect([switched.code, switched.report.switched]).toEqual([0, true]);
    expect(await locations()).toEqual(
      ['2019-11-30', '2019-12-01', '2019-12-02', '2020-09-13'].map((dt) => `s3://${planted.lake.bucket}/${report.replay}/dt=${dt}/`),
    );

    // From now on the sink's settings name both, and the audit of both is complete.
    const after = { ...planted.env, SINK_TABLE: report.replay, SINK_CATALOG_TABLE: 'purchases' };
    const context = recordingContext(after);
    expect(await operate('audit', ['--json'], context)).toBe(0);
    expect(JSON.parse(context.lines.join('\n'))).toMatchObject({ verdict: 'complete', catalog: { registered: 4, missing: [], empty: [] } });
    // The Iceberg table of the replay holds the same events, and the audit compares it with the ledger of the replay.
    const rebuilt = recordingContext(after);
    expect(await operate('lake rebuild', ['--json'], rebuilt)).toBe(0);
    expect(JSON.parse(rebuilt.lines.join('\n'))).toMatchObject({
      table: report.replay,
      before: null,
      after: { n: 1, rows: 301 },
      inCatalog: true,
    });
    const audited = recordingContext(after);
    expect(await operate('audit', ['--deep', '--json'], audited)).toBe(0);
    expect(JSON.parse(audited.lines.join('\n'))).toMatchObject({ verdict: 'complete', projection: { commit: 1, rows: 301 } });
    const old = recordingContext(planted.env);
    expect(await operate('audit', [], old)).toBe(1);
    expect(old.lines.join('\n')).toContain(
      `The catalog has 2019-11-30, and 3 more of its 4 partitions, at another place: s3://${planted.lake.bucket}/${report.replay}/dt=2019-11-30/`,
    );
  },
  testMsMax,
);

it(
  'a replay names rows that differ, and switches to them only with --force',
  async () => {
    const [other] = [randomUUID()];
    await landLive((n) => (n === 4 ? { eventId: other } : {}));
    const { code, report } = await replay('--switch');
    expect([code, report.equal, report.differing, report.switched]).toEqual([1, false, 2, false]);
    expect(report.differences).toEqual([
      { side: 'live', dt: '2019-12-01', eventId: other, partition: 0, offset: 2 },
      { side: 'replay', dt: '2019-12-01', eventId: ids[4], partition: 0, offset: 2 },
    ]);
    const forced = recordingContext(planted.env, root);
    expect(await operate('replay', ['--into', report.replay, '--switch', '--force'], forced)).toBe(1);
    const text = forced.lines.join('\n');
    expect(text).toContain('The replay differs: 2 rows of 300 events are in one table and not in the other.');
    expect(text).toContain(`SINK_TABLE=${report.replay} SINK_CATALOG_TABLE=purchases`);
    expect((await locations())[0]).toBe(`s3://${planted.lake.bucket}/${report.replay}/dt=2019-11-30/`);
  },
  testMsMax,
);

it(
  'a replay reports live rows that the topic lost as not replayable, and no difference',
  async () => {
    await landLive();
    await topic.admin.deleteTopicRecords({ topic: topic.name, partitions: [{ partition: 0, offset: '40' }] });
    const { code, report } = await replay('--switch');
    expect([code, report.equal, report.switched, report.comparedOffsets, report.notReplayableOffsets, report.notReplayable]).toEqual([
      1,
      true,
      false,
      260,
      40,
      40,
    ]);
  },
  testMsMax,
);

it(
  'a replay of a time range rebuilds that part only',
  async () => {
    await landLive();
    await pause(20);
    const from = new Date();
    await topic.produce([purchaseMessage(randomUUID(), { partition: 1 }), purchaseMessage(ids[1]!, { partition: 1 })]);
    const { code, report } = await replay('--from', from.toISOString());
    // Nothing of that time has landed in the live table yet.
    expect([code, report.comparedOffsets, report.partitions]).toEqual([
      0,
      0,
      [
        { partition: 0, low: 0, from: 150, to: 150 },
        { partition: 1, low: 0, from: 150, to: 150 },
      ],
    ]);
    const part = openTarget(planted.env, { table: report.replay });
    expect([...(await landedEnds(part.lake, new AbortController().signal)).values()].map(({ landed }) => landed)).toEqual([150, 152]);
    part.close();
    await expect(replay('--from', from.toISOString(), '--switch')).rejects.toThrow('--switch takes no --from');
    await expect(replay('--from', 'yesterday')).rejects.toThrow('--from must be a time');
    await expect(replay('--into', 'purchases')).rejects.toThrow('is the live table');
  },
  testMsMax,
);

it(
  'an aborted replay leaves no consumer group behind',
  async () => {
    await landLive();
    const stopping = new AbortController();
    const context = { ...recordingContext(planted.env, root), signal: stopping.signal };
    const stopped = operate('replay', ['--into', 'purchases_replay_1'], context);
    const ends = async (): Promise<number> =>
      (await topic.admin.listGroups()).groups.filter(({ groupId }) => groupId.startsWith('millrace-replay-')).length;
    await expect.poll(ends, { timeout: 60_000 }).toBe(1);
    stopping.abort(new Error('Stopped.'));
    await expect(stopped).rejects.toThrow('Stopped.');
    expect(await topic.leftGroups()).toEqual([]);
  },
  testMsMax,
);
