import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { produceBroken } from './broken-records.ts';
import { openPage, writeStatement } from './console-page.ts';
import { openBrowser } from './open-browser.ts';

// Takes the pictures of docs/console.md from the sample purchases: `./millrace up --detach && npm run screenshots -w apps/console`.
// Names of screens after `--` take only these pictures.

const queryUrl = process.env['QUERY_URL'] ?? `http://127.0.0.1:${process.env['QUERY_PORT'] ?? '3003'}`;
const purchaseUrl = process.env['PURCHASE_URL'] ?? `http://127.0.0.1:${process.env['PURCHASE_PORT'] ?? '3001'}`;
const folder = join(import.meta.dirname, '../../../../docs/images');

async function ask(page: Page): Promise<void> {
  await page.goto('/console/ask');
  await writeStatement(page, 'SELECT title, author, count(*) AS sold\nFROM purchases\nGROUP BY title, author\nORDER BY sold DESC, title');
  await page.getByText(/^Reads /).waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('grid', { name: 'Result' }).getByRole('gridcell').first().waitFor();
}

async function chart(page: Page): Promise<void> {
  await ask(page);
  await page.getByRole('button', { name: 'Chart', exact: true }).click();
  await page.getByRole('img', { name: /^Bars by title/ }).waitFor();
  await page.getByRole('list', { name: 'Legend' }).scrollIntoViewIfNeeded();
}

async function queries(page: Page): Promise<void> {
  await page.goto('/console/queries');
  await page.getByRole('region', { name: 'Ended queries' }).waitFor();
}

async function tables(page: Page): Promise<void> {
  await page.goto('/console/tables/purchases');
  await page.getByRole('grid', { name: 'Sample' }).getByRole('gridcell').first().waitFor();
}

async function flow(page: Page): Promise<void> {
  await page.goto('/console/flow');
  await page.getByRole('list', { name: 'The path of an event' }).waitFor();
  for (let n = 0; n < 5; n += 1) {
    await post(200);
    // The rates are between two readings.
    await page.waitForTimeout(2000);
  }
}

async function event(page: Page): Promise<void> {
  const eventId = await post(1);
  await page.goto('/console/event');
  await page.getByLabel('Event id or receipt').fill(eventId);
  await page.getByRole('button', { name: 'Follow' }).click();
  await page.getByText('queryable', { exact: true }).waitFor();
}

async function rejects(page: Page): Promise<void> {
  const [sample] = samplesOf(1);
  const broken = { ...sample, userAge: 240, genre: '' };
  await produceBroken(
    Array.from({ length: 7 }, (_, n) => ({ ...broken, ...(n < 4 ? { genre: 'Fiction' } : {}), eventId: crypto.randomUUID() })),
  );
  await page.goto('/console/rejects?range=all');
  // The sink lands them within its age hint.
  await page
    .getByRole('button', { name: /^userAge must be at most 150/ })
    .first()
    .waitFor({ timeout: 30_000 });
}

async function ledger(page: Page): Promise<void> {
  await page.goto('/console/ledger?span=3600000');
  await page.getByRole('list', { name: 'Lanes of the topic' }).waitFor();
  await page.getByText(/Click to zoom in/).waitFor();
}

async function streams(page: Page): Promise<void> {
  await page.goto('/console/streams');
  await page.getByRole('region', { name: 'Stream purchases' }).waitFor();
}

async function resilience(page: Page): Promise<void> {
  await page.goto('/console/resilience');
  await page.getByRole('heading', { name: 'query-worker' }).waitFor();
  await page.waitForTimeout(6000);
}

function samplesOf(count: number): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(import.meta.dirname, '../../../../samples/purchases.ndjson'), 'utf8')
    .split('\n')
    .slice(0, count)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Posts samples with new ids, and gives the id of the last one. */
async function post(count: number): Promise<string> {
  const events = samplesOf(count).map((sample) => ({ ...sample, eventId: crypto.randomUUID() }));
  const answer = await fetch(`${purchaseUrl}/v1/purchases/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  if (!answer.ok) throw new TypeError(`The purchases were answered ${answer.status}: start the stack with ./millrace up.`);
  return events.at(-1)!.eventId;
}

const pictures = [
  ['ask', 'light', ask],
  ['chart', 'dark', chart],
  ['queries', 'dark', queries],
  ['tables', 'light', tables],
  ['flow', 'light', flow],
  ['event', 'dark', event],
  ['ledger', 'light', ledger],
  ['streams', 'light', streams],
  ['rejects', 'light', rejects],
  ['resilience', 'light', resilience],
] as const;

const browser = await openBrowser();
try {
  const wanted = process.argv.slice(2);
  for (const [name, colorScheme, show] of pictures.filter(([screen]) => wanted.length === 0 || wanted.includes(screen))) {
    const { page, close } = await openPage(browser, queryUrl, { colorScheme, viewport: { width: 1280, height: 800 }, timezoneId: 'UTC' });
    await show(page);
    const path = join(folder, `console-${name}-${colorScheme}.png`);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
    process.stdout.write(`${path}\n`);
    await close();
  }
} finally {
  await browser.close();
}
