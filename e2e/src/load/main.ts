import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stack } from '../stack.ts';
import { wholeNumberOption } from '../whole-number-option.ts';
import { profileNames, type ProfileName } from './profiles.ts';
import { LiveLine } from './report/live-line.ts';
import { loadPage } from './report/load-page.ts';
import { loadText, stateText } from './report/load-text.ts';
import { runLoad } from './run-load.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '30' },
    hours: { type: 'string' },
  },
});
const profile = positionals[0] as ProfileName;
if (positionals.length !== 1 || !profileNames.includes(profile)) throw new Error(`name one profile: ${profileNames.join(', ')}`);
const minutes =
  values.hours === undefined
    ? wholeNumberOption('minutes', values.minutes, 1, 10_000)
    : 60 * wholeNumberOption('hours', values.hours, 1, 168);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopping.abort(new Error(`The load was ended by ${signal}.`)));

const line = new LiveLine(process.stderr);
const report = await runLoad({
  profile,
  soak: { seconds: minutes * 60, rebalanceEverySeconds: 60 },
  services: {
    purchase: stack.purchaseUrl,
    sink: given('SINK_URL'),
    'query-api': stack.queryUrl,
    'query-worker': given('QUERY_WORKER_URL'),
  },
  signal: stopping.signal,
  tell: (text) => line.print(text),
  watch: (state, samples) =>
    line.follow(() => {
      const now = state();
      return now === undefined ? undefined : stateText(now, samples);
    }),
})
  .catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  })
  .finally(() => line.end());

const folder = join(stack.home, 'reports', 'load');
mkdirSync(folder, { recursive: true });
const path = join(folder, `${profile}-${report.at.replaceAll(':', '-')}`);
const json = `${JSON.stringify(report)}\n`;
writeFileSync(`${path}.json`, json);
writeFileSync(`${path}.html`, loadPage(report));
process.stderr.write(`Report: ${path}.html\n`);
process.stdout.write(values.json ? json : loadText(report));
process.exitCode = report.passed ? 0 : 1;

function given(key: string): string {
  const value = process.env[key];
  if (value === undefined) throw new Error(`${key} is not set`);
  return value;
}
