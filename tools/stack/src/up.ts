import { build } from './build.ts';
import { checkPrerequisites } from './install.ts';
import { setUpLake } from './lake-setup.ts';
import { runReport } from './report.ts';
import { awaitQueryable, hasLandedRows, postSamples, readSamples, type Freshness } from './samples.ts';
import { groupThousands, tableText, type Screen } from './screen.ts';
import { partNames, serviceNames, type Env } from './settings.ts';
import type { Stack } from './stack.ts';

/** Starts everything, brings the samples through, and shows the answer. */
export async function up(stack: Stack, env: Env, screen: Screen): Promise<void> {
  const { settings } = stack;
  await screen.step('Check what this machine has', async () => await checkPrerequisites());
  await screen.step('Build', async () => await build());
  for (const name of partNames) await screen.step(`Start ${name}`, async (note) => note(await stack.startPart(name)));
  await screen.step('Set up topic, bucket and table', async () => await setUpLake(settings, env));
  for (const name of serviceNames) await screen.step(`Start ${name}`, async (note) => note(await stack.startService(name)));

  const urls = { purchase: `http://127.0.0.1:${settings.ports.purchase}`, sink: `http://127.0.0.1:${settings.ports.sink}`, query: `http://127.0.0.1:${settings.ports.query}` };
  let freshness: Freshness | undefined;
  if (!(await hasLandedRows(settings, env))) {
    const samples = readSamples();
    const acknowledged = await screen.step('Post the sample purchases', async (note) => await postSamples(urls.purchase, samples, (posted) => note(`${groupThousands(posted)} of ${groupThousands(samples.length)}`)));
    freshness = await screen.step('Wait until they are queryable', async (note) => await awaitQueryable(settings, env, acknowledged, (landed) => note(`${groupThousands(landed)} of ${groupThousands(acknowledged.length)}`)));
  }
  const { view, page } = await screen.step('Ask for the report sales-by-genre', async () => await runReport(urls.query, 'sales-by-genre'));

  screen.line();
  screen.line(screen.bold('Sales by genre'));
  screen.line(tableText(page.columns.map(({ name }) => name), page.rows));
  screen.line();
  if (view.statistics !== undefined) screen.line(`Answered by ${view.engine} in ${view.statistics.executionMs} ms.`);
  if (freshness !== undefined) {
    screen.line(`From 202 to queryable: p50 ${(freshness.p50Ms / 1000).toFixed(1)} s, p99 ${(freshness.p99Ms / 1000).toFixed(1)} s, over ${groupThousands(freshness.events)} purchases (a batch is flushed every ${env['SINK_FLUSH_SECONDS'] ?? '5'} s here).`);
  }
  screen.line();
  screen.line(`Purchases  ${urls.purchase}/v1/purchases`);
  screen.line(`Queries    ${urls.query}/v1/queries`);
  screen.line(`Health     ${[urls.purchase, urls.sink, urls.query].map((url) => `${url}/health/ready`).join('  ')}`);
  screen.line('Stop with ./millrace down; the data stays.');
}
