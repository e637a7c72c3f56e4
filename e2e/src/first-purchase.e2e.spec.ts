import { GetPartitionCommand, GlueClient } from '@aws-sdk/client-glue';
import { cloudEventsVersion, headerNames, purchases } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { describe, expect, it } from 'vitest';
import { postBatch, postPurchase, query } from './http.ts';
import { makePurchases, seedExample } from './purchases.ts';
import { lake, stack } from './stack.ts';
import { endOffsets, readTopic } from './topic.ts';

describe("the article's example from REST to an answer", () => {
  it('the example is acknowledged, is a CloudEvent in Kafka, lands in Parquet, and its day is in the catalog', async () => {
    const before = await endOffsets(stack.topic);
    const { status, body: receipt } = await postPurchase(seedExample);
    expect(status).toBe(202);
    expect(receipt).toEqual({
      eventId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/) as string,
      durability: 'kafka',
      topic: stack.topic,
      partition: expect.any(Number) as number,
      offset: expect.stringMatching(/^\d+$/) as string,
      links: { self: expect.stringMatching(/^\/v1\/purchases\/[0-9a-f-]{36}\?partition=\d+&offset=\d+$/) as string },
    });

    const message = (await readTopic(stack.topic, before)).find(
      ({ partition, offset }) => partition === receipt.partition && offset === receipt.offset,
    );
    expect(message).toMatchObject({
      key: 'test-user',
      headers: {
        [headerNames.id]: receipt.eventId,
        [headerNames.type]: purchases.eventType,
        [headerNames.source]: purchases.eventSource,
        [headerNames.specVersion]: cloudEventsVersion,
        [headerNames.time]: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        [headerNames.traceparent]: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-/) as string,
      },
    });
    expect(JSON.parse(message!.value)).toEqual({ eventId: receipt.eventId, ...(JSON.parse(seedExample) as object) });

    const row = await waitUntil('the row in Parquet', async () => {
      for (const { key } of await lake.objects(`${stack.table}/dt=2019-11-30/`)) {
        const found = (await lake.rows(key)).find((one) => one['event_id'] === receipt.eventId);
        if (found !== undefined) return found;
      }
      return undefined;
    });
    expect(row).toEqual({
      event_id: receipt.eventId,
      book_id: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title: 'Orlando',
      author: 'Virginia Woolf',
      genre: 'Fiction',
      user_id: 'test-user',
      user_country: 'country',
      user_age: 24,
      purchase_timestamp: new Date(1_575_121_641_000),
      dt: '2019-11-30',
      _partition: receipt.partition,
      _offset: BigInt(receipt.offset),
    });

    const glue = new GlueClient({ endpoint: stack.awsUrl });
    const partition = await waitUntil(
      'the partition in Glue',
      async () =>
        (
          await glue.send(
            new GetPartitionCommand({ DatabaseName: stack.database, TableName: stack.table, PartitionValues: ['2019-11-30'] }),
          )
        ).Partition,
    );
    expect(partition.StorageDescriptor?.Location).toBe(`s3://${stack.bucket}/${stack.table}/dt=2019-11-30/`);
    glue.destroy();
  });

  it('DuckDB and Athena return the same rows', async () => {
    const genre = `Genre ${crypto.randomUUID()}`;
    const sold = makePurchases(300, genre);
    expect((await postBatch(sold)).body).toMatchObject({ accepted: 300, rejected: 0 });
    const sql = `SELECT author, user_country, dt, count(*) AS sold, min(user_age) AS youngest, max(purchase_timestamp) AS latest FROM purchases WHERE genre = '${genre}' GROUP BY author, user_country, dt ORDER BY author, user_country, dt`;
    const byDuckdb = await waitUntil('all of them in the table', async () => {
      const page = await query({ sql, engine: 'duckdb' });
      return totalOf(page.rows) === 300 ? page : undefined;
    });
    const byAthena = await query({ sql, engine: 'athena' });
    expect(byAthena.columns.map(({ name }) => name)).toEqual(['author', 'user_country', 'dt', 'sold', 'youngest', 'latest']);
    expect(byAthena.rows).toEqual(byDuckdb.rows);
    const expected = sold.filter(({ author, purchaseTimestamp }) => author === 'George Eliot' && purchaseTimestamp < 1_575_158_400);
    const counted = byDuckdb.rows.filter(([author, , dt]) => author === 'George Eliot' && dt === '2019-11-30');
    expect(totalOf(counted)).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(0);
  });
});

function totalOf(rows: readonly (readonly unknown[])[]): number {
  return rows.reduce((sum, row) => sum + Number(row[3]), 0);
}
