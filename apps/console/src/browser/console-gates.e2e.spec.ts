import type { Flow, InlineQueryView, ResultPage } from '@millrace/contracts';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPage, writeStatement, type ConsolePage } from './console-page.ts';
import { hasBrowser, openBrowser } from './open-browser.ts';

// The cost of a page with a long result, and of one that is open for an hour. The API is mocked, because only the cost of the page counts.

const queryUrl = process.env['QUERY_URL']!;

let browser: Browser;
let opened: ConsolePage | undefined;

beforeAll(async () => {
  if (hasBrowser()) browser = await openBrowser();
});
afterAll(async () => await browser?.close());
afterEach(async () => {
  const faults = opened?.faults ?? [];
  await opened?.close();
  opened = undefined;
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

async function open(): Promise<Page> {
  opened = await openPage(browser, queryUrl, { viewport: { width: 1280, height: 900 } });
  opened.page.setDefaultTimeout(60_000);
  return opened.page;
}

const at = '2026-11-30T12:00:00.000Z';
const rowsOfPage = 1_000_000;

function rowsFrom(first: number, count: number): ResultPage['rows'] {
  return Array.from({ length: count }, (_, n) => [String(first + n), `title ${first + n}`, n % 7 === 0 ? null : n / 3]);
}

/** The CPU time of the page's thread in milliseconds. Other processes of a busy machine do not change it. */
async function cpuMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1000;
}

/** Bytes of the heap that are in use. The page allocates between two collections, so the minimum of several readings counts. */
async function heapBytes(session: CDPSession): Promise<number> {
  const sizes: number[] = [];
  for (let look = 0; look < 4; look += 1) {
    await session.send('HeapProfiler.collectGarbage');
    sizes.push((await session.send('Runtime.getHeapUsage')).usedSize);
  }
  return Math.min(...sizes);
}

describe.skipIf(!hasBrowser())('the cost of the console in a browser', () => {
  it('a grid of a million loaded rows scrolls with at most 50 ms of work for 99 of 100 steps', async () => {
    const page = await open();
    const view: InlineQueryView = {
      id: crypto.randomUUID(),
      state: 'succeeded',
      engine: 'duckdb',
      sql: 'SELECT 1',
      submittedAt: at,
      startedAt: at,
      finishedAt: at,
      statistics: { rows: rowsOfPage + 1000, bytesScanned: 0, queuedMs: 1, executionMs: 1 },
      links: { self: '/v1/queries/1', results: '/v1/queries/1/results' },
    };
    const columns = ['bigint', 'varchar', 'double'].map((type, n) => ({ name: `c${n}`, type }));
    const first = JSON.stringify({ columns, rows: rowsFrom(0, rowsOfPage), next: 'more' });
    await page.route('**/v1/queries', async (route) => await route.fulfill({ json: view }));
    await page.route('**/v1/queries/1/results**', async (route) => {
      const isMore = route.request().url().includes('cursor=more');
      await (isMore
        ? route.fulfill({ json: { columns, rows: rowsFrom(rowsOfPage, 1000) } })
        : route.fulfill({ contentType: 'application/json', body: first }));
    });
    await page.goto('/console/ask');
    await writeStatement(page, 'SELECT * FROM range(1001000)');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const grid = page.getByRole('grid', { name: 'Result' });
    await grid.getByText('title 0', { exact: true }).waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const scrollTo = async (top: number): Promise<number> => {
      const before = await cpuMs(session);
      await grid.evaluate(async (element, to) => {
        element.scrollTop = to;
        // The first frame scrolls, and the second one shows the rows.
        for (let frame = 0; frame < 2; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      }, top);
      return (await cpuMs(session)) - before;
    };
    // Excludes the garbage of the page load.
    await session.send('HeapProfiler.collectGarbage');
    const works: number[] = [];
    // A wheel first, and then jumps with the bar.
    for (let step = 1; step <= 150; step += 1) works.push(await scrollTo(step * 400));
    for (let step = 1; step <= 50; step += 1) works.push(await scrollTo(((step * 37) % 50) * 600_000));
    const sorted = works.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    process.stdout.write(
      `A grid of ${rowsOfPage} rows: median ${median.toFixed(1)} ms of work for a step; the longest of ${works.length} steps: ` +
        `${sorted
          .slice(-5)
          .map((ms) => `${ms.toFixed(1)} ms (step ${works.indexOf(ms) + 1})`)
          .join(', ')}.\n`,
    );
    // The collector may stop the page once for its million rows: the longest steps are in the output.
    expect(sorted[Math.floor(sorted.length * 0.99) - 1]).toBeLessThanOrEqual(50);
    await scrollTo(Number.MAX_SAFE_INTEGER);
    await page.getByText('all 1,001,000 rows loaded').waitFor();
    await scrollTo(Number.MAX_SAFE_INTEGER);
    await grid.getByText(`title ${rowsOfPage + 999}`, { exact: true }).waitFor();
  });

  it('the heap of a page that shows Flow for an hour stays flat', async () => {
    const page = await open();
    await page.goto('/console/flow');
    await page.getByRole('list', { name: 'The path of an event' }).waitFor();
    const flow = (await (await fetch(`${queryUrl}/v1/flow`)).json()) as Flow;
    // An hour compressed into seconds: each reading is two seconds newer than the last one, and arrives at once.
    await page.addInitScript((reading) => {
      const text = JSON.stringify(reading);
      const counter = globalThis as { refreshes?: number };
      const [wait, send] = [setTimeout, fetch];
      const soon = (callback: () => void, ms?: number): unknown => wait(callback, ms === 2000 ? 0 : ms);
      globalThis.setTimeout = soon as typeof setTimeout;
      globalThis.fetch = async (input, init) => {
        if (input !== '/v1/flow') return await send(input, init);
        const turn = (counter.refreshes = (counter.refreshes ?? 0) + 1);
        const changed = JSON.parse(text) as { at: string; processes: { samples?: { value: number }[] }[] };
        changed.at = new Date(Date.parse(reading.at) + turn * 2000).toISOString();
        for (const { samples = [] } of changed.processes) for (const sample of samples) sample.value += turn * (1 + (turn % 5));
        return Response.json(changed);
      };
    }, flow);
    await page.reload();
    await page.getByRole('list', { name: 'The path of an event' }).waitFor();
    const session = await page.context().newCDPSession(page);
    const heapAt = async (turn: number): Promise<number> => {
      await page.waitForFunction((wanted) => ((globalThis as { refreshes?: number }).refreshes ?? 0) >= wanted, turn);
      return await heapBytes(session);
    };
    // The page keeps readings of half an hour. From then on nothing may be added.
    const heaps: number[] = [];
    for (const turn of [900, 1200, 1500, 1800]) heaps.push(await heapAt(turn));
    process.stdout.write(
      `Heap of Flow after 30, 40, 50 and 60 minutes: ${heaps.map((bytes) => (bytes / 1024 ** 2).toFixed(2)).join(', ')} MiB.\n`,
    );
    expect(Math.max(...heaps) - heaps[0]!).toBeLessThanOrEqual(1024 ** 2);
  });
});
