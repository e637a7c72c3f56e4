import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A page of the console, and everything that went wrong in it. */
export interface ConsolePage {
  readonly page: Page;
  /** Errors of scripts, refusals of the policy, opened dialogs and answers of 500 and above. */
  readonly faults: string[];
  readonly close: () => Promise<void>;
}

/** Opens a page that records each fault. */
export async function openPage(browser: Browser, queryUrl: string, options: BrowserContextOptions = {}): Promise<ConsolePage> {
  const context = await browser.newContext({
    baseURL: queryUrl,
    reducedMotion: 'reduce',
    acceptDownloads: true,
    // Without a language of the system, Chromium names one that is not a language tag, and uPlot fails over it.
    locale: 'en-GB',
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', (dialog) => {
    faults.push(`a dialog was opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // The browser also reports each answer of 400 and above, of which many are expected.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 500) faults.push(`${response.url()} answered ${response.status()}`);
  });
  return { page, faults, close: async () => await context.close() };
}

/** Violations of the rules of axe on the page, one line each. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
    );
  });
}

/** By how many pixels the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** Replaces the statement in the editor. */
export async function writeStatement(page: Page, sql: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: 'SQL statement' });
  await editor.focus();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
  // Closes the list of completions.
  await page.keyboard.press('Escape');
}

/** The texts of one column of a grid, which holds only the rows in view: it is scrolled from its first row to its last. */
export async function columnCells(grid: Locator, column: number): Promise<string[]> {
  return await grid.evaluate(async (element, wanted) => {
    const found = new Map<string, string>();
    for (let top = 0; ; top += element.clientHeight / 2) {
      element.scrollTop = top;
      for (let frame = 0; frame < 2; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      for (const cell of element.querySelectorAll<HTMLElement>(`[data-cell$=":${wanted}"]`))
        found.set(cell.dataset['cell']!, cell.textContent);
      if (top + element.clientHeight >= element.scrollHeight) return [...found.values()];
    }
  }, column);
}
