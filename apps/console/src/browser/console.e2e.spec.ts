import { readFileSync } from 'node:fs';
import { problemOf, type CallerView } from '@millrace/contracts';
import { openTestIssuer, spawnService, testClientId, waitUntil, withoutShedding } from '@millrace/testing';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { produceBroken } from './broken-records.ts';
import { shortText } from '../parts/grid/cells.ts';
import { axeViolations, columnCells, openPage, overflow, writeStatement, type ConsolePage } from './console-page.ts';
import { hostileTexts } from './hostile-texts.ts';
import { hasBrowser, openBrowser } from './open-browser.ts';

const queryUrl = process.env['QUERY_URL']!;
const purchaseUrl = process.env['PURCHASE_URL']!;
/** A machine under other load is slow, and these tests claim nothing about time. */
const waitMs = 60_000;

let browser: Browser;
let opened: ConsolePage;

beforeAll(async () => {
  if (hasBrowser()) browser = await openBrowser();
});
afterAll(async () => await browser?.close());

async function open(path: string, options: Parameters<typeof openPage>[2] = {}): Promise<ConsolePage['page']> {
  await opened?.close();
  opened = await openPage(browser, queryUrl, options);
  opened.page.setDefaultTimeout(waitMs);
  await opened.page.goto(path);
  return opened.page;
}

const purchaseFields = {
  bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
  title: 'Orlando',
  author: 'Virginia Woolf',
  genre: 'Fiction',
  userCountry: 'country',
  userAge: 24,
  purchaseTimestamp: 1_575_121_641,
};

/** Posts a purchase and gives its receipt. */
async function post(purchase: Readonly<Record<string, unknown>>): Promise<string> {
  return await waitUntil('the purchase to be accepted', async () => {
    const answer = await fetch(`${purchaseUrl}/v1/purchases`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...purchaseFields, ...purchase }),
    });
    return answer.status === 202 ? await answer.text() : undefined;
  });
}

/** Waits until a user's purchases are rows. */
async function landed(userId: string, count: number): Promise<void> {
  await waitUntil(
    'the rows to land',
    async () => {
      const answer = await fetch(`${queryUrl}/v1/queries`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'wait=20' },
        body: JSON.stringify({ sql: 'SELECT count(*) AS n FROM purchases WHERE user_id = ?', parameters: [userId] }),
      });
      const { results } = (await answer.json()) as { results?: { rows: string[][] } };
      return results?.rows[0]?.[0] === String(count);
    },
    { timeoutMs: waitMs },
  );
}

/** The solid colours of a canvas. Runs in the page. */
function coloursOf(canvas: SVGElement | HTMLElement): string {
  const { width, height } = canvas as HTMLCanvasElement;
  const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
  const colours = new Set<string>();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
  return [...colours].join(' ');
}

// `./millrace test` names the skipped tests: the browser of npm runs on Linux with x64 only.
describe.skipIf(!hasBrowser())('the console in a browser', () => {
  beforeEach(() => {
    opened?.faults.splice(0);
  });
  afterEach(() => {
    if (opened.faults.length > 0) throw new Error(opened.faults.join('\n'));
  });

  it('a purchase that was posted is found by a statement with a parameter, and the tab survives a reload', async () => {
    const userId = `browser-${crypto.randomUUID()}`;
    await post({ userId, title: 'To the Lighthouse' });
    await landed(userId, 1);
    const page = await open('/console/ask');
    await writeStatement(page, "SELECT title, 9007199254740993 AS exact, NULL AS nothing, '' AS empty FROM purchases WHERE user_id = ?");
    await page.getByRole('button', { name: 'Add a value for ?' }).click();
    await page.getByRole('textbox', { name: 'Value 1' }).fill(userId);
    await page.getByText(/^Reads /).waitFor();
    await page.getByRole('textbox', { name: 'SQL statement' }).press('ControlOrMeta+Enter');
    const row = page.getByRole('grid', { name: 'Result' }).getByRole('row').nth(1);
    await row.waitFor();
    expect(await row.getByRole('gridcell').allTextContents()).toEqual(['To the Lighthouse', '9007199254740993', 'NULL', '']);

    await page.reload();
    await row.waitFor();
    expect(await page.getByRole('textbox', { name: 'Value 1' }).inputValue()).toBe(userId);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
    expect(readFileSync(await file.path(), 'utf8').split(/\r?\n/)).toEqual([
      'title,exact,nothing,empty',
      'To the Lighthouse,9007199254740993,,""',
      '',
    ]);
    // Arrow keys move, and Enter shows the whole value.
    await row.getByRole('gridcell').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Value of exact' }).getByText('9007199254740993').waitFor();
  });

  it('a statement is formatted, and its result is drawn as bars and as lines in the colours of the theme', async () => {
    const page = await open('/console/ask', { colorScheme: 'dark' });
    await writeStatement(page, "select dt, genre, count(*) as sold, 2 as twice from purchases where genre <> '<b>' group by dt, genre");
    const editor = page.getByRole('textbox', { name: 'SQL statement' });
    await editor.press('Shift+Alt+F');
    await editor.getByText('GROUP BY').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('grid', { name: 'Result' }).getByRole('gridcell').first().waitFor();
    await page.getByRole('button', { name: 'Chart', exact: true }).click();
    const legend = page.getByRole('list', { name: 'Legend' });
    await page.getByRole('img', { name: /^Lines by dt: .* sold: / }).waitFor();
    expect(await legend.getByRole('listitem').allTextContents()).toEqual(['sold', 'twice', '']);
    expect(await axeViolations(page)).toEqual([]);
    await page.getByLabel('Axis').selectOption('genre');
    const bars = page.getByRole('img', { name: /^Bars by genre: / });
    await bars.waitFor();
    await bars.hover();
    await legend.getByText(/\d/).first().waitFor();
    const pixel = async (): Promise<string> => await bars.locator('canvas').evaluate(coloursOf);
    // The first colour of the series in each theme.
    expect(await pixel()).toContain('130,187,247');
    await page.getByRole('button', { name: 'Light' }).click();
    await expect.poll(pixel).toContain('10,88,168');
    expect(await axeViolations(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await overflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Rows', exact: true }).click();
    await page.getByRole('grid', { name: 'Result' }).getByRole('gridcell').first().waitFor();
  });

  it('a query that runs is stopped with Stop', async () => {
    const page = await open('/console/ask');
    await writeStatement(page, 'SELECT count(*) AS n FROM range(1000000) a(x), range(1000000) b(y) WHERE (x * y) % 7 = 3');
    await page.getByText(/^Reads /).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const status = page.getByRole('status', { name: 'State of the query' });
    await status.getByText('running', { exact: true }).waitFor();
    await status.getByText(/^runs in the engine/).waitFor();
    await status.getByText(/ read of .* estimated$/).waitFor();
    await page.reload();
    await status.getByText(/ read$/).waitFor();
    await status.getByRole('timer').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await status.getByText('cancelled', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);
  });

  it('an error is marked at its line and column, and a refused statement is explained before it runs', async () => {
    const page = await open('/console/ask');
    await writeStatement(page, 'SELECT genre,\n  no_such_column FROM purchases');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('alert').getByText('line 2, column 3').waitFor();
    await page.locator('.cm-lintRange-error', { hasText: 'no_such_column' }).waitFor();
    await writeStatement(page, 'DROP TABLE purchases');
    await page.getByText('This statement would be refused').waitFor();
    const refusal = page.getByRole('alert').getByText('The statement is not allowed', { exact: true });
    await refusal.waitFor();
    expect(await refusal.count()).toBe(1);
  });

  it('the receipt of a purchase is followed to its row, step by step', async () => {
    const receipt = await post({ userId: 'browser-follow' });
    const page = await open('/console/event');
    await page.getByLabel('Event id or receipt').fill(receipt);
    await page.getByRole('button', { name: 'Follow' }).click();
    const steps = page.getByRole('region', { name: 'Steps of the event' });
    await steps.getByText('queryable', { exact: true }).waitFor();
    expect(await steps.getByRole('listitem').getByText('done', { exact: true }).count()).toBe(4);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('a record that broke the contract is found by its reason, corrected, planned, redriven, and becomes a row', async () => {
    const [eventId, userId] = [crypto.randomUUID(), `browser-reject-${crypto.randomUUID()}`];
    const genre = `<img src=x onerror=alert(1)> ${'x'.repeat(200)}`;
    const [place] = await produceBroken([{ ...purchaseFields, eventId, userId, genre }]);
    const page = await open('/console/rejects?range=1h');
    const show = page.getByRole('button', { name: `Show partition ${place!.partition}, offset ${place!.offset}`, exact: true });
    await waitUntil('the reject to land', async () => {
      await page.reload();
      await page.getByText(/Reading the reject files/).waitFor({ state: 'detached' });
      await page.getByRole('heading', { name: 'Rejects', level: 1 }).waitFor();
      return (await show.count()) > 0;
    });
    await page.getByRole('button', { name: 'genre must be at most 128 characters long' }).click();
    expect(new URL(page.url()).searchParams.get('reason')).toContain('genre');
    await show.click();
    const record = page.getByRole('dialog', { name: /^Reject of partition/ });
    const failing = record.locator('.failing');
    await failing.getByText('must be at most 128 characters long').waitFor();
    expect(await failing.getByText('<img src=x onerror=alert(1)>').count()).toBe(1);
    expect(await axeViolations(page)).toEqual([]);
    await record.getByLabel(/^Corrected event/).fill(JSON.stringify({ ...purchaseFields, eventId, userId }));
    await record.getByRole('button', { name: 'Plan the redrive' }).click();
    const redrive = page.getByRole('dialog', { name: 'Redrive' });
    await redrive.getByText('Nothing has been produced yet.').waitFor();
    await redrive.getByText('produce', { exact: true }).waitFor();
    await redrive.getByLabel(/^Reason/).fill('a test of the console');
    await redrive.getByRole('button', { name: 'Produce 1 event' }).click();
    await redrive.getByText('produced', { exact: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await landed(userId, 1);
  });

  it('the ledger is a timeline down to one entry, and an audit proves the table on demand', async () => {
    const userId = `browser-ledger-${crypto.randomUUID()}`;
    await post({ userId });
    await landed(userId, 1);
    const page = await open('/console/ledger?span=2592000000');
    const lanes = page.getByRole('list', { name: 'Lanes of the topic' }).getByRole('img', { name: /^Partition/ });
    await lanes.first().waitFor();
    expect(await lanes.count()).toBe(8);
    await page.getByRole('button', { name: '15 minutes' }).click();
    await page
      .getByRole('button', { name: /^Show the entry of partition/ })
      .first()
      .click();
    const entry = page.getByRole('dialog', { name: /^Entry of partition/ });
    await entry
      .getByRole('region', { name: 'Files of the entry' })
      .getByText(/dt=2019-11-30/)
      .waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await entry.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(new URL(page.url()).searchParams.get('span')).toBe('60000');
    await page.getByRole('button', { name: 'Audit now' }).click();
    await page.getByRole('region', { name: 'Counts by partition' }).waitFor();
    await page.getByRole('region', { name: 'Audit' }).getByText('complete', { exact: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('a stream shows its fields, the schemas that it had, an example, and its AsyncAPI document', async () => {
    const page = await open('/console/streams');
    const stream = page.getByRole('region', { name: 'Stream purchases' });
    await stream.getByRole('row', { name: /userAge whole number yes 0 to 150/ }).waitFor();
    await stream.getByText('the first schema').waitFor();
    expect(JSON.parse((await stream.locator('pre').textContent())!)).toMatchObject({ userAge: 24, title: 'title' });
    const [file] = await Promise.all([page.waitForEvent('download'), stream.getByRole('button', { name: 'AsyncAPI' }).click()]);
    expect(JSON.parse(readFileSync(await file.path(), 'utf8'))).toMatchObject({ asyncapi: '3.0.0' });
    expect(await axeViolations(page)).toEqual([]);
  });

  it('an operator forces a circuit open with a reason, sees it among the problems, and gives it back', async () => {
    const page = await open('/console/resilience');
    const change = async (mode: string): Promise<void> => {
      await page.getByRole('button', { name: 'Change the circuit of usage-read' }).click();
      await page.getByLabel('Mode').selectOption(mode);
      await page.getByLabel(/^Reason/).fill('a test of the console');
      await page.getByRole('button', { name: 'Change', exact: true }).click();
    };
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'usage-read' }) });
    await change('forced-open');
    await card.getByText('forced open', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Flow' }).click();
    await page.getByRole('list', { name: 'Problems' }).getByText('an operator set the circuit usage-read to forced-open').waitFor();
    await page.getByRole('link', { name: 'Resilience' }).click();
    await change('auto');
    await card.getByText('closed', { exact: true }).waitFor();
    expect(await card.getByText('forced open', { exact: true }).count()).toBe(0);
  });

  it('a report runs with its parameters, and the link of a statement opens it again', async () => {
    const page = await open('/console/ask#sql=SELECT+1+AS+one&engine=duckdb');
    await page.getByRole('tab', { name: 'SELECT 1 AS one' }).waitFor();
    expect(new URL(page.url()).hash).toBe('');
    await page.getByRole('button', { name: 'Reports' }).click();
    await page.getByRole('button', { name: /top-books/ }).click();
    await page.getByLabel(/^rows:/).fill('3');
    await page.getByRole('button', { name: 'Run the report' }).click();
    await page.getByRole('grid', { name: 'Result' }).getByRole('columnheader', { name: /title/ }).waitFor();
    await page.getByRole('button', { name: 'History' }).click();
    await page
      .getByRole('button', { name: /Report top-books/ })
      .first()
      .waitFor();
  });

  it('about 300 hostile titles, column names, statements, fields and errors are text on every screen', async () => {
    expect(hostileTexts.length).toBeGreaterThanOrEqual(300);
    const userId = `hostile-${crypto.randomUUID()}`;
    const purchases = hostileTexts.map((title) => ({ ...purchaseFields, userId, title: title.slice(0, 1024) }));
    const batch = await fetch(`${purchaseUrl}/v1/purchases/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(purchases),
    });
    expect(await batch.json()).toMatchObject({ accepted: hostileTexts.length, rejected: 0 });
    await produceBroken(hostileTexts.map((author) => ({ ...purchaseFields, eventId: crypto.randomUUID(), userId, author, userAge: 999 })));
    await landed(userId, hostileTexts.length);
    const page = await open('/console/ask', { viewport: { width: 390, height: 800 } });
    const isText = async (): Promise<void> => {
      expect(await overflow(page)).toBe(0);
      expect(
        await page.locator('img:not([alt=""]), script:not([src]), iframe, object, embed, link[rel="stylesheet"][href*="evil"]').count(),
      ).toBe(0);
      expect(await page.locator('main [onerror], main [onload], main marquee, main base, main form[action]').count()).toBe(0);
    };
    const run = async (sql: string): Promise<void> => {
      await writeStatement(page, sql);
      await page.getByRole('button', { name: 'Run', exact: true }).click();
    };
    const grid = page.getByRole('grid', { name: 'Result' });
    await run(`SELECT title, count(*) AS n FROM purchases WHERE user_id = '${userId}' GROUP BY title`);
    await grid.getByRole('gridcell').first().waitFor();
    expect((await columnCells(grid, 0)).toSorted()).toEqual(hostileTexts.map(shortText).toSorted());
    await isText();
    // The first and the last name are in the text of the chart.
    await page.getByRole('button', { name: 'Chart', exact: true }).click();
    await page.getByRole('img', { name: /^Bars by title/ }).waitFor();
    await isText();
    await page.getByRole('button', { name: 'Rows', exact: true }).click();
    // Names, in two statements: the editor and the tab show them as well.
    for (const texts of [hostileTexts.slice(0, 150), hostileTexts.slice(150)]) {
      await run(`SELECT ${texts.map((text, n) => `${n} AS "${text.slice(0, 200).replaceAll('"', '""')}"`).join(', ')}`);
      await grid
        .getByRole('gridcell')
        .nth(texts.length - 1)
        .waitFor({ state: 'attached' });
      expect(await grid.getByRole('columnheader').count()).toBe(texts.length);
      await isText();
    }
    await run("SELECT string_agg('<b>bold', '') AS megabyte FROM range(150000)");
    await grid.getByRole('gridcell').first().press('Enter');
    await page.getByRole('dialog', { name: 'Value of megabyte' }).getByText('950,000 more characters.').waitFor();
    await isText();
    await page.keyboard.press('Escape');
    await run(`SELECT "<script>alert(2)</script>${'x'.repeat(2000)}" FROM purchases`);
    await page.getByRole('alert').getByText('<script>alert(2)</script>').first().waitFor();
    await isText();
    await page.getByRole('button', { name: 'History' }).click();
    await page
      .getByRole('button', { name: /megabyte/ })
      .first()
      .waitFor();
    await isText();
    await page.goto('/console/queries');
    await page.getByText('<script>alert(2)</script>').first().waitFor();
    await isText();
    await page.goto('/console/tables/%3Cimg%20src%3Dx%20onerror%3Dalert(3)%3E');
    await page.getByRole('alert').waitFor();
    await isText();
    await page.goto('/console/rejects?range=1h&reason=%3Cimg%20src%3Dx%20onerror%3Dalert(4)%3E');
    await page.getByText(/Reading the reject files/).waitFor({ state: 'detached' });
    await isText();
    await page.goto('/console/rejects?range=1h');
    await page
      .getByRole('button', { name: /^userAge must be at most 150/ })
      .first()
      .click();
    const shows = page.getByRole('button', { name: /^Show partition/ });
    await shows.first().waitFor();
    await isText();
    for (let n = 0; n < (await shows.count()); n += 20) {
      await shows.nth(n).click();
      const record = page.getByRole('dialog', { name: /^Reject of partition/ });
      await record.locator('.failing').first().waitFor();
      await isText();
      await page.keyboard.press('Escape');
      await record.waitFor({ state: 'detached' });
    }
    for (const text of hostileTexts.filter((_text, n) => n % 30 === 0)) {
      await page.goto(`/console/event/${encodeURIComponent(text)}`);
      await page.getByRole('heading', { name: 'Event', level: 1 }).waitFor();
      await isText();
      await page.goto(`/console/ask#${new URLSearchParams({ sql: text }).toString()}`);
      await page.getByRole('tab', { selected: true }).waitFor();
      await isText();
    }
  });

  it.each(['light', 'dark'] as const)(
    'no screen violates a rule of axe or is wider than the window, in the %s theme',
    async (colorScheme) => {
      const page = await open('/console/ask', { colorScheme, viewport: { width: 1280, height: 900 } });
      await writeStatement(page, 'SELECT title, count(*) AS sold FROM purchases GROUP BY title');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByRole('grid', { name: 'Result' }).getByRole('gridcell').first().waitFor();
      await writeStatement(page, 'SELECT nothing FROM purchases');
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/queries');
      await page.getByRole('heading', { name: 'Ended' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/tables');
      await page.getByRole('link', { name: 'purchases' }).click();
      await page.getByRole('grid', { name: 'Sample' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console');
      await page.getByRole('list', { name: 'The path of an event' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/rejects?range=all');
      await page.getByText(/Reading the reject files/).waitFor({ state: 'detached' });
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/ledger');
      await page.getByRole('list', { name: 'Lanes of the topic' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/streams');
      await page.getByRole('region', { name: 'Stream purchases' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.goto('/console/resilience');
      await page.getByRole('button', { name: 'Change the circuit of usage-read' }).click();
      await page.getByRole('dialog').waitFor();
      expect(await axeViolations(page)).toEqual([]);
      for (const width of [390, 2560]) {
        await page.setViewportSize({ width, height: 900 });
        for (const screen of [
          'flow',
          'ask',
          'queries',
          'tables/purchases',
          'streams',
          'event',
          'ledger',
          'rejects?range=all',
          'resilience',
        ]) {
          await page.goto(`/console/${screen}`);
          await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
          expect([screen, width, await overflow(page)]).toEqual([screen, width, 0]);
        }
      }
    },
  );

  it('where authentication is on, a key is asked for, kept in memory only, and decides which screens there are', async () => {
    const caller: CallerView = { kind: 'api-key', issuer: '', subject: '<b>analyst</b>', scopes: ['admin'] };
    const page = await open('about:blank');
    await page.route('**/v1/**', async (route) => {
      const isKnown = route.request().headers()['authorization'] === 'Bearer secret-key';
      if (!isKnown)
        return await route.fulfill({ status: 401, contentType: 'application/problem+json', json: problemOf('unauthenticated') });
      return route.request().url().endsWith('/v1/caller')
        ? await route.fulfill({ json: caller })
        : await route.fulfill({ json: { queries: [], processes: [], at: new Date().toISOString() } });
    });
    await page.goto('/console');
    const field = page.getByLabel('API key or token');
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Credentials are missing or not valid').first().waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await field.fill('secret-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('<b>analyst</b>').waitFor();
    expect(await page.getByRole('navigation', { name: 'Screens' }).getByRole('link').allTextContents()).toEqual([
      'Flow',
      'Queries',
      'Streams',
      'Ledger',
      'Rejects',
      'Resilience',
    ]);
    const kept = await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]));
    expect(kept).not.toContain('secret');
    await page.reload();
    await field.waitFor();
  });

  it('in a chaos profile an attack is started and stopped, and both groups of an experiment are beside each other', async () => {
    const chaosUrl = 'http://127.0.0.1:9';
    const api = await spawnService('query-api', {
      QUERY_CONSOLE_CHAOS_URL: chaosUrl,
      QUERY_QUEUE_NAME: 'console-chaos',
      ...withoutShedding('QUERY'),
    });
    try {
      const page = await open(api.url);
      const started = {
        id: 1,
        attack: 'latency',
        target: 'kafka',
        seconds: 20,
        arguments: { latencyMs: 500 },
        beganAt: new Date().toISOString(),
      };
      const view = { attacks: ['cpu', 'latency'], targets: ['kafka', 's3'], running: [] as object[], ended: [] as object[] };
      const values = [{ phase: 'during', probe: 'purchase p99-ms', control: 50, experiment: 96, limit: '≤ 3000', met: true }];
      const result = { at: started.beganAt, verdict: 'held', reason: 'every probe is within its limits', proofs: ['seen'], values };
      const experiment = {
        file: 'a.yaml',
        title: 'Kafka is slow',
        hypothesis: '<b>All land.</b>',
        attacks: [started],
        expected: 'held',
        result,
      };
      const asked: string[] = [];
      await page.route(`${chaosUrl}/**`, async (route) => {
        const { pathname, search } = new URL(route.request().url());
        expect(route.request().headers()['authorization']).toBeUndefined();
        if (pathname.endsWith('/start')) view.running = [started];
        if (pathname.endsWith('/stop')) {
          view.running = [];
          view.ended = [{ ...started, tookEffect: true, proof: '<img src=x onerror=alert(1)>' }];
        }
        if (/start|stop/.test(pathname)) asked.push(search);
        const json = pathname.endsWith('/experiments') ? { experiments: [experiment] } : view;
        await route.fulfill({ json, headers: { 'access-control-allow-origin': api.url } });
      });
      await page.goto(`${api.url}/console`);
      await page.getByRole('link', { name: 'Chaos' }).click();
      await page.getByRole('combobox', { name: 'Attack' }).selectOption('latency');
      await page.getByLabel('Values').fill('latencyMs=500');
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByRole('button', { name: 'Stop latency on kafka' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Stop latency on kafka' }).click();
      await page.getByText('<img src=x onerror=alert(1)>').waitFor();
      expect(asked).toEqual(['?attack=latency&target=kafka&seconds=20&latencyMs=500', '?id=1']);
      await page.getByRole('button', { name: 'Show Kafka is slow' }).click();
      const dialog = page.getByRole('dialog', { name: 'Result of Kafka is slow' });
      await dialog.getByRole('row', { name: 'during purchase p99-ms 50 96 ≤ 3000 met' }).waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.setViewportSize({ width: 390, height: 800 });
      expect(await overflow(page)).toBe(0);
    } finally {
      await api.kill();
    }
  });

  it('where an issuer is configured, a user signs in there, and its token is in the memory of the page only', async () => {
    const issuer = await openTestIssuer();
    const settings = {
      ...issuer.settings,
      QUERY_CONSOLE_OIDC_CLIENT_ID: testClientId,
      QUERY_QUEUE_NAME: 'console-oidc',
      ...withoutShedding('QUERY'),
    };
    const api = await spawnService('query-api', settings);
    try {
      const page = await open(`${api.url}/console/queries?state=failed`);
      const enter = page.getByRole('button', { name: `Sign in at ${new URL(issuer.name).host}` });
      await enter.waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await enter.click();
      await page.locator('.who', { hasText: 'alice' }).waitFor();
      await page.getByRole('heading', { name: 'Queries', level: 1 }).waitFor();
      expect(page.url()).toBe(`${api.url}/console/queries?state=failed`);
      expect(issuer.exchanges).toEqual(['token']);
      const kept = async (): Promise<string> =>
        await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]));
      expect(await kept()).not.toMatch(/eyJ|verifier/);
      // The address of the code is of no use a second time.
      const { state } = issuer.authorizations[0]!;
      await page.goto(`${api.url}/console/sign-in?code=stolen&state=${state}`);
      await page.getByText('The answer of the issuer belongs to no sign-in of this tab. Sign in again.').waitFor();
      expect(issuer.exchanges).toEqual(['token']);
      issuer.user = { subject: '<b>bob</b>', scope: 'admin' };
      await enter.click();
      await page.getByText('<b>bob</b>').waitFor();
      expect(await page.getByRole('navigation', { name: 'Screens' }).getByRole('link').count()).toBe(6);
      expect(await kept()).not.toMatch(/eyJ|verifier/);
    } finally {
      await Promise.all([api.kill(), issuer.close()]);
    }
  });
});
