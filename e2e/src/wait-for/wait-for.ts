import { randomUUID } from 'node:crypto';
import { engineNames, layoutNames, type EngineName, type LayoutName, type QueryView, type ResultPage } from '@millrace/contracts';
import { LocalAthena, spawnService, waitUntil, withoutShedding } from '@millrace/testing';
import { ask, patiently, post, postPurchase } from '../http.ts';
import { waitForRow, type FollowedPurchase, type WaitForRow } from './wait-for-report.ts';

/** Size of the proof. */
export interface WaitForOptions {
  /** Purchases on each engine and layout. */
  readonly purchases: number;
  /** Purchases that are under way at once. */
  readonly concurrent: number;
  readonly trinoUrl: string;
  readonly tell: (line: string) => void;
}

type QueryAnswer = QueryView & { readonly results?: ResultPage };

const waitSeconds = 60;

/** Follows each purchase by a query that waits for its receipt. Runs on the stack of its environment, where no service is up. */
export async function runWaitFor({ purchases, concurrent, trinoUrl, tell }: WaitForOptions): Promise<WaitForRow[]> {
  const athena = await LocalAthena.start({ trinoUrl });
  const env = {
    QUERY_ENGINES: engineNames.join(','),
    TRINO_URL: trinoUrl,
    AWS_ENDPOINT_URL_ATHENA: athena.url,
    QUERY_ATHENA_POLL_MS_MIN: '50',
    QUERY_ATHENA_POLL_MS_MAX: '500',
    ...withoutShedding('QUERY'),
  };
  const services = await Promise.all([
    spawnService('purchase'),
    spawnService('sink', { SINK_FLUSH_SECONDS: '1', SINK_RECONCILE_SECONDS: '5' }),
    spawnService('projector', { PROJECTOR_INTERVAL_SECONDS: '0.5', PROJECTOR_COMPACTION_SECONDS: '5' }),
    spawnService('query-api', env),
    spawnService('query-worker', env),
  ]);
  const [purchase, , , api] = services;
  const urls = { purchaseUrl: purchase.url, apiUrl: api.url };
  try {
    const rows: WaitForRow[] = [];
    // The first purchases make the tables that the engines read.
    await waitUntil('the Iceberg table', async () => (await follow(urls, 'trino', 'iceberg')).missed === undefined, {
      timeoutMs: 180_000,
      everyMs: 1000,
    });
    for (const engine of engineNames) {
      for (const layout of layoutNames) {
        const row = waitForRow(engine, layout, await followAll(urls, engine, layout, purchases, concurrent));
        tell(`${engine} ${layout}: ${row.seen} of ${row.purchases}`);
        rows.push(row);
      }
    }
    return rows;
  } finally {
    await Promise.all(services.map(async (service) => await service.kill()));
    await athena.close();
  }
}

/** Addresses of the two APIs. */
interface Urls {
  readonly purchaseUrl: string;
  readonly apiUrl: string;
}

async function followAll(
  urls: Urls,
  engine: EngineName,
  layout: LayoutName,
  count: number,
  concurrent: number,
): Promise<FollowedPurchase[]> {
  const followed: FollowedPurchase[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: concurrent }, async () => {
      while (left > 0) {
        left -= 1;
        followed.push(await follow(urls, engine, layout));
      }
    }),
  );
  return followed;
}

/** Posts one purchase and asks for it by its receipt. */
async function follow({ purchaseUrl, apiUrl }: Urls, engine: EngineName, layout: LayoutName): Promise<FollowedPurchase> {
  const started = performance.now();
  const eventId = randomUUID();
  const took = (): number => performance.now() - started;
  const { status, body: receipt } = await postPurchase(
    {
      eventId,
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title: 'Orlando',
      author: 'Virginia Woolf',
      genre: 'Fiction',
      userId: `user-${Number.parseInt(eventId.slice(0, 2), 16) % 3}`,
      userCountry: 'GB',
      userAge: 24,
      purchaseTimestamp: 1_575_121_641,
    },
    purchaseUrl,
  );
  if (status !== 202) return { missed: `the purchase was answered ${status}`, tookMs: took() };
  const { topic, partition, offset } = receipt;
  const sql = `SELECT count(*) AS n FROM purchases WHERE event_id = '${eventId}'`;
  const asked = await patiently(
    async () =>
      await post<QueryAnswer>(
        `${apiUrl}/v1/queries`,
        { sql, engine, layout, cache: false, timeoutMs: 120_000, waitFor: { topic, partition, offset } },
        { prefer: `wait=${waitSeconds}` },
      ),
  );
  const missed = missing(await ended(apiUrl, asked.body), layout);
  return { tookMs: took(), ...(missed === undefined ? {} : { missed }) };
}

/** Why an answer does not have its purchase exactly once, or undefined. */
function missing(answer: QueryAnswer, layout: LayoutName): string | undefined {
  if (answer.state !== 'succeeded') return `the query ${answer.state}: ${JSON.stringify(answer.error)}`;
  const read = answer.statistics?.layout;
  if (read !== layout) return `the query read the layout ${read} (${answer.statistics?.layoutFallback ?? 'no fallback'})`;
  const rows = Number(answer.results?.rows[0]?.[0]);
  return rows === 1 ? undefined : `the query found ${rows} rows`;
}

/** The answer of a query that had not ended within the wait of its request. */
async function ended(apiUrl: string, answer: QueryAnswer): Promise<QueryAnswer> {
  if (answer.state !== 'queued' && answer.state !== 'running') return answer;
  const view = async (): Promise<QueryView> => (await ask<QueryView>(new URL(answer.links.self, apiUrl).href)).body;
  const last = await waitUntil(
    'the query to end',
    async () => await view().then((one) => (one.finishedAt === undefined ? undefined : one)),
    {
      timeoutMs: 120_000,
      everyMs: 500,
    },
  );
  if (last.state !== 'succeeded') return last;
  return { ...last, results: (await ask<ResultPage>(new URL(last.links.results, apiUrl).href)).body };
}
