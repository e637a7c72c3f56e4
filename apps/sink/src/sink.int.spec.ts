import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { eventIdOf, purchaseMessage, purchaseMessages } from './testing/purchases/purchase-message.ts';
import { TestTable } from './testing/process/test-table.ts';

let table: TestTable;
beforeEach(async () => {
  table = await TestTable.open();
});
afterEach(async () => await table.close());

describe('the sink on real parts', () => {
  it('the sink lands every event once and registers its day', async () => {
    await table.produce(purchaseMessages(0, 3000));
    const sink = await table.sink();
    const rows = await table.landed();
    expectEachOnce(rows, 3000);
    expect(rows.find(({ event_id }) => event_id === eventIdOf(1))?.dt).toBe('2019-12-01');
    await expect
      .poll(async () => (await table.catalog.partitions()).map(({ value }) => value).toSorted(), { timeout: 20_000 })
      .toEqual(['2019-11-30', '2019-12-01', '2019-12-02']);
    expect((await sink.get('/health/ready')).status).toBe(200);
    expect(await sink.metric('millrace_sink_rows_landed_total')).toBe(3000);
  });

  it('the sinks of two groups on one table lose and double nothing while one of them is killed repeatedly', async () => {
    const count = 8000;
    const settings = { SINK_FLUSH_BYTES: '65536' };
    const other = await table.sink({ ...settings, SINK_GROUP_ID: `${table.topic}-other` });
    const stays = await table.sink(settings);
    let victim = await table.sink(settings);
    let produced = 0;
    const producing = (async () => {
      for (; produced < count; produced += 500) {
        await table.produce(purchaseMessages(produced, produced + 500));
        await delay(150);
      }
    })();
    for (let kill = 0; kill < 3; kill += 1) {
      // The sink is killed in the middle of its work: it has joined, and events still arrive.
      await victim.line(({ type }) => type === 'LaneStarted');
      await delay(300 + 211 * kill);
      await victim.end('SIGKILL');
      victim = await table.sink(settings);
    }
    await producing;
    const rows = await table.landed(200_000);
    expectEachOnce(rows, count);
    expect(other.alive && stays.alive && victim.alive).toBe(true);
  }, 300_000);

  it('the sink puts a garbage record into a reject file with its offset, reason and bytes, and continues', async () => {
    await table.produce([
      { ...purchaseMessage(0), partition: 1 },
      { key: 'user-1', value: 'garbage', partition: 1 },
      { ...purchaseMessage(1), partition: 1 },
    ]);
    await table.sink();
    expectEachOnce(await table.landed(), 2);
    const keys = await table.keys('_rejects/');
    expect(keys).toEqual([expect.stringMatching(new RegExp(`^_rejects/purchases/${table.topic}/p=1/0-3-.*\\.ndjson$`))]);
    expect(await table.json(keys[0]!)).toMatchObject({
      topic: table.topic,
      partition: 1,
      offset: 1,
      reason: 'the value is not JSON',
      value: Buffer.from('garbage').toString('base64'),
    });
  });

  it('the sink lands the records that it took when it is stopped', async () => {
    const sink = await table.sink({ SINK_FLUSH_SECONDS: '600' });
    await table.produce(purchaseMessages(0, 1000));
    await expect.poll(async () => await sink.metric('millrace_sink_records_total', { result: 'row' }), { timeout: 30_000 }).toBe(1000);
    expect(await table.rows()).toEqual([]);
    await sink.end('SIGTERM');
    expect(sink.child.exitCode).toBe(0);
    expectEachOnce(await table.rows(), 1000);
  });

  it('the sink refuses to listen for other machines without authentication', async () => {
    await expect(table.sink({ SINK_HOST: '0.0.0.0' })).rejects.toThrow('ended before');
  });
});

describe('the start of the sink', () => {
  it.each([{ 'retention.ms': '86400000' }, { 'retention.bytes': '1000000' }])(
    'a starting sink warns of a topic that does not keep every event: %o',
    async (retention) => {
      const limited = await TestTable.open({ retention });
      try {
        const sink = await limited.sink();
        expect(await sink.line(({ msg }) => msg.includes('does not keep every event'))).toMatchObject({
          level: 'warn',
          settings: retention,
        });
      } finally {
        await limited.close();
      }
    },
  );

  it('a starting sink does not warn of a topic that keeps every event', async () => {
    const sink = await table.sink();
    await sink.line(({ type }) => type === 'LaneStarted');
    expect(sink.lines.map(({ msg }) => msg).join('\n')).not.toContain('does not keep every event');
  });
});
