import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openPage, writeStatement } from './console-page.ts';
import { openBrowser } from './open-browser.ts';

// Takes the pictures of docs/console.md from the sample purchases: `./millrace up --detach && npm run screenshots -w apps/console`.

const queryUrl = process.env['QUERY_URL'] ?? `http://127.0.0.1:${process.env['QUERY_PORT'] ?? '3003'}`;
const folder = join(import.meta.dirname, '../../../../docs/images');

async function ask(page: Page): Promise<void> {
  await page.goto('/console/ask');
  await writeStatement(page, 'SELECT title, author, count(*) AS sold\nFROM purchases\nGROUP BY title, author\nORDER BY sold DESC, title');
  await page.getByText(/^Reads /).waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('grid', { name: 'Result' }).getByRole('gridcell').first().waitFor();
}

async function queries(page: Page): Promise<void> {
  await page.goto('/console/queries');
  await page.getByRole('region', { name: 'Ended queries' }).waitFor();
}

async function tables(page: Page): Promise<void> {
  await page.goto('/console/tables/purchases');
  await page.getByRole('grid', { name: 'Sample' }).getByRole('gridcell').first().waitFor();
}

const pictures = { ask, queries, tables };

const browser = await openBrowser();
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, close } = await openPage(browser, queryUrl, { colorScheme, viewport: { width: 1280, height: 800 }, timezoneId: 'UTC' });
    for (const [name, show] of Object.entries(pictures)) {
      await show(page);
      const path = join(folder, `console-${name}-${colorScheme}.png`);
      await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
      process.stdout.write(`${path}\n`);
    }
    await close();
  }
} finally {
  await browser.close();
}
