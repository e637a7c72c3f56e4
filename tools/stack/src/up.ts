import { once } from 'node:events';
import { build } from './build.ts';
import { hasRedis, installers } from './install.ts';
import { unlessInterrupted, type Interruption } from './interruption.mjs';
import { setUpLake } from './lake-setup.ts';
import { isFetched } from './machine/check-machine.mjs';
import { optionalPartNames, partNames, serviceNames, type Env, type PartName } from './places.mjs';
import { runReport } from './report.ts';
import { awaitQueryable, hasLandedRows, postSamples, readSamples, type Freshness } from './samples.ts';
import type { Screen } from './screen.mjs';
import type { Stack } from './stack.ts';
import { groupThousands, tableText } from './table-text.ts';
import { Timeline } from './timeline.ts';
import { trinoStamp } from './trino/install-trino.ts';
import { requireTrinoJava } from './trino/plan-trino.ts';

/** How `up` runs. */
export interface UpOptions {
  /** Return once everything runs, instead of at Ctrl-C. */
  readonly detach: boolean;
  /** Start Trino too. */
  readonly trino: boolean;
  /** How long the npm packages took to install before, in milliseconds. */
  readonly packagesMs: number;
  readonly interruption: Interruption;
}

/** Starts everything and shows the first answer. An interruption before that stops the started processes; a later one stops everything. */
export async function up(stack: Stack, env: Env, screen: Screen, { detach, trino, packagesMs, interruption }: UpOptions): Promise<number> {
  const onStopped = (name: string, how: string): void => screen.line(`  ✓ ${name}: ${how}`);
  const timeline = new Timeline();
  timeline.add('npm packages', packagesMs);
  try {
    await startAll(stack, env, screen, timeline, trino);
    if (!detach) screen.line('Ctrl-C stops everything.');
  } catch (error) {
    if (!(await interruption.explainsFailure())) {
      sayWhatRuns(stack, screen);
      throw error;
    }
    screen.line('Interrupted. Stopping what this command started; a second Ctrl-C does not wait.');
    await stack.stopStartedHere(onStopped);
    sayWhatRuns(stack, screen);
    return interruption.exitCode;
  }
  if (detach) return 0;
  await untilAborted(interruption.signal);
  screen.line();
  await stack.stopAll(onStopped);
  return 0;
}

async function startAll(stack: Stack, env: Env, screen: Screen, timeline: Timeline, trino: boolean): Promise<void> {
  const { settings, interrupts } = stack;
  const { signal } = interrupts;
  const wait = async <T>(work: Promise<T>): Promise<T> => await unlessInterrupted(work, signal);
  const parts = [...partNames, ...(trino ? optionalPartNames : [])];
  // Before a long download.
  if (trino && !settings.external.has('trino')) await requireTrinoJava(env, interrupts);
  await fetchAndBuild(stack, screen, parts);
  timeline.mark('downloads and build');

  for (const name of parts) await screen.step(`Start ${name}`, async (note) => note(await stack.startPart(name, note)));
  const risks = await screen.step('Set up topic, bucket and table', async () => await wait(setUpLake(settings, env)));
  for (const risk of risks) screen.line(`  ! ${risk}`);
  for (const name of serviceNames) await screen.step(`Start ${name}`, async (note) => note(await stack.startService(name)));
  timeline.mark('start');

  const { ports } = settings;
  const urls = {
    purchase: `http://127.0.0.1:${ports.purchase}`,
    sink: `http://127.0.0.1:${ports.sink}`,
    query: `http://127.0.0.1:${ports.query}`,
  };
  let freshness: Freshness | undefined;
  if (!(await wait(hasLandedRows(settings, env)))) {
    freshness = await bringSamples(stack, env, screen, urls.purchase);
    timeline.mark('sample purchases');
  }
  const { view, page } = await screen.step(
    'Ask for the report sales-by-genre',
    async () => await wait(runReport(urls.query, 'sales-by-genre')),
  );
  timeline.mark('report');

  screen.line();
  screen.line(screen.bold('Sales by genre'));
  screen.line(
    tableText(
      page.columns.map(({ name }) => name),
      page.rows,
    ),
  );
  screen.line();
  if (view.statistics !== undefined) screen.line(`Answered by ${view.engine} in ${view.statistics.executionMs} ms.`);
  if (freshness !== undefined) {
    const { p50Ms, p99Ms, events } = freshness;
    const flush = `a batch is flushed every ${env['SINK_FLUSH_SECONDS'] ?? '5'} s here`;
    screen.line(
      `From 202 to queryable: p50 ${(p50Ms / 1000).toFixed(1)} s, p99 ${(p99Ms / 1000).toFixed(1)} s, over ${groupThousands(events)} purchases (${flush}).`,
    );
  }
  screen.line(timeline.text());
  screen.line();
  screen.line(`Console    ${urls.query}/console`);
  screen.line(`Purchases  ${urls.purchase}/v1/purchases`);
  screen.line(`Queries    ${urls.query}/v1/queries`);
  if (trino) screen.line(`Trino      ${settings.trinoUrl} (catalogs hive and iceberg; engine "trino" of the query API)`);
  if (trino && !settings.external.has('athena'))
    screen.line(`Athena     http://127.0.0.1:${ports.athena} (over Trino; engine "athena" of the query API)`);
  screen.line(`Health     ${[urls.purchase, urls.sink, urls.query].map((url) => `${url}/health/ready`).join('  ')}`);
  screen.line('Stop with ./millrace down; the data stays.');
  signal.throwIfAborted();
}

// Downloads wait for the network and the build for the processor, so they run beside each other.
async function fetchAndBuild(stack: Stack, screen: Screen, parts: readonly PartName[]): Promise<void> {
  const { settings, interrupts } = stack;
  const lists = {
    kafka: ['kafka.stamp', 'pom.xml'],
    redis: ['redis.stamp', 'requirements-redis.txt'],
    aws: ['venv.stamp', 'requirements.txt'],
    trino: trinoStamp,
  } as const;
  const isMissing = (name: keyof typeof lists): boolean =>
    parts.includes(name) && !settings.external.has(name) && !isFetched({ MILLRACE_CACHE: settings.cache }, lists[name][0], lists[name][1]);
  const titles = { kafka: 'Fetch Kafka', redis: 'Fetch Redis', aws: 'Fetch the AWS emulator', trino: 'Fetch Trino' } as const;
  const fetch = async (name: keyof typeof lists): Promise<void> =>
    await screen.step(titles[name], async (note) => void (await installers[name]({ settings, note, ...interrupts })));
  const results = await Promise.allSettled([
    screen.step('Build', async (note) => await build(interrupts, note)),
    isMissing('kafka') ? fetch('kafka') : undefined,
    isMissing('trino') ? fetch('trino') : undefined,
    // Both are in one Python environment, which the emulator's installation empties.
    (async () => {
      if (isMissing('aws')) await fetch('aws');
      if (isMissing('redis') && !(await hasRedis(interrupts))) await fetch('redis');
    })(),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function bringSamples({ settings, interrupts }: Stack, env: Env, screen: Screen, purchaseUrl: string): Promise<Freshness> {
  const samples = readSamples();
  const { signal } = interrupts;
  const acknowledged = await screen.step('Post the sample purchases', async (note) => {
    const onProgress = (posted: number): void => note(`${groupThousands(posted)} of ${groupThousands(samples.length)}`);
    return await unlessInterrupted(postSamples(purchaseUrl, samples, onProgress), signal);
  });
  return await screen.step('Wait until they are queryable', async (note) => {
    const onProgress = (landed: number): void => note(`${groupThousands(landed)} of ${groupThousands(acknowledged.length)}`);
    return await unlessInterrupted(awaitQueryable(settings, env, acknowledged, onProgress), signal);
  });
}

function sayWhatRuns(stack: Stack, screen: Screen): void {
  const names = stack.running();
  if (names.length > 0) screen.line(`Still running: ${names.join(', ')}. Stop with ./millrace down; the data stays.`);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A listener alone does not keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(alive);
}
