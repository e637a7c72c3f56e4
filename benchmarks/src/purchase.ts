import { cpus } from 'node:os';
import type { BatchAnswer } from '@millrace/contracts';
import autocannon, { type Result } from 'autocannon';

/** How hard the service is pressed; every bound is in the report's conditions. */
const secondsPerRun = Number(process.env['BENCH_SECONDS'] ?? 6);
const warmUpSeconds = 2;
const connections = 64;
const batchItems = 100;
const batchConnections = 8;
/** Few, because the load generator prepares every body for every connection before it begins; enough to reach every partition. */
const buyers = 40;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** One purchase as text, of one of {@link buyers} buyers. */
function purchase(number: number): string {
  return JSON.stringify({
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: `bench-${number % buyers}`,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641,
  });
}

async function run(url: string, path: string, bodies: readonly string[], clients: number, seconds: number): Promise<Result> {
  return await autocannon({
    url: url + path,
    connections: clients,
    duration: seconds,
    timeout: 15,
    requests: bodies.map((body) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body })),
  });
}

function figuresOf(name: string, result: Result, itemsPerRequest: number): Figure[] {
  const { latency } = result;
  const accepted = result['2xx'];
  return [
    { name: `${name}: events accepted`, value: Math.round((accepted * itemsPerRequest) / result.duration), unit: 'events/s' },
    { name: `${name}: latency p50`, value: latency.p50, unit: 'ms' },
    { name: `${name}: latency p90`, value: latency.p90, unit: 'ms' },
    { name: `${name}: latency p99`, value: latency.p99, unit: 'ms' },
    { name: `${name}: latency max`, value: latency.max, unit: 'ms' },
    { name: `${name}: requests not accepted`, value: result.non2xx + result.errors, unit: 'requests' },
  ];
}

/** Nothing is measured on a service that does not take purchases. */
async function refuseUnlessItWorks(url: string): Promise<void> {
  const { hostname } = new URL(url);
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') throw new Error(`the load goes to loopback only, not to ${hostname}`);
  const response = await fetch(`${url}/v1/purchases/batch`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `[${purchase(0)}]` });
  const answer = (await response.json()) as BatchAnswer;
  if (response.status !== 202 || answer.accepted !== 1) throw new Error(`the purchase API at ${url} does not take purchases: ${JSON.stringify(answer)}`);
}

async function main(asJson: boolean): Promise<void> {
  const url = process.env['PURCHASE_URL'] ?? 'http://127.0.0.1:3001';
  await refuseUnlessItWorks(url);
  const singles = Array.from({ length: buyers }, (_, number) => purchase(number));
  const batches = Array.from({ length: 10 }, (_, number) => `[${Array.from({ length: batchItems }, (__, item) => purchase(number * batchItems + item)).join(',')}]`);
  await run(url, '/v1/purchases', singles, connections, warmUpSeconds);
  const single = await run(url, '/v1/purchases', singles, connections, secondsPerRun);
  const one = await run(url, '/v1/purchases', singles, 1, Math.max(1, secondsPerRun / 2));
  const batch = await run(url, '/v1/purchases/batch', batches, batchConnections, secondsPerRun);
  const report = {
    benchmark: 'purchase',
    conditions: {
      node: process.version,
      processors: cpus().length,
      note: 'client, service and Kafka on the same processors, loopback, acks=all on one broker',
      seconds: secondsPerRun,
      eventBytes: purchase(0).length,
      single: `${connections} connections, one purchase a request`,
      alone: 'one connection, one purchase a request',
      batch: `${batchConnections} connections, ${batchItems} purchases a request`,
    },
    figures: [...figuresOf('single', single, 1), ...figuresOf('alone', one, 1), ...figuresOf('batch', batch, batchItems)],
  };
  console.log(asJson ? JSON.stringify(report) : textOf(report));
}

function textOf({ conditions, figures }: { readonly conditions: Readonly<Record<string, unknown>>; readonly figures: readonly Figure[] }): string {
  return [
    ...Object.entries(conditions).map(([name, value]) => `${name}: ${String(value)}`),
    '',
    ...figures.map(({ name, value, unit }) => `${name.padEnd(32)} ${value.toLocaleString('en').padStart(10)} ${unit}`),
  ].join('\n');
}

await main(process.argv.includes('--json'));
