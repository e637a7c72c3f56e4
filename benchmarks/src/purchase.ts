import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { purchases } from '@millrace/contracts';
import { TestTopic } from '@millrace/testing';
import { type Figure, figuresOf, type Measurement, quantile, ratioOf, type RatioTarget, type Rounds } from './purchase/figures.ts';
import { type LoadSpec, runLoad } from './purchase/load.ts';
import { cpuSecondsOf, type ServerProcess, startBareFastify, startOurs } from './purchase/server-process.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const secondsPerRun = Number(process.env['BENCH_SECONDS'] ?? 6);
const warmUpSeconds = 3;
const connections = 64;
const batchItems = 500;
const batchConnections = 8;
/** Enough to reach every partition. */
const buyers = 40;

type SubjectName = 'bare Fastify' | 'bare Fastify with Kafka' | 'ours' | 'ours with Idempotency-Key' | 'ours, batches';
type Load = Omit<LoadSpec, 'url' | 'seconds'>;

/** A server, and the load that it gets in each round. */
interface Subject {
  readonly name: SubjectName;
  readonly server: ServerProcess;
  readonly load: Load;
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

function subjectsOf(bare: ServerProcess, bareWithKafka: ServerProcess, ours: ServerProcess): readonly Subject[] {
  const singles = Array.from({ length: buyers }, (_, number) => purchase(number));
  const single: Load = { path: '/v1/purchases', bodies: singles, eventsPerRequest: 1, connections };
  const batch = (first: number): string => `[${Array.from({ length: batchItems }, (_, item) => purchase(first + item)).join(',')}]`;
  const batches = Array.from({ length: 8 }, (_, number) => batch(number));
  const run = randomUUID();
  const withKey: Load = { ...single, headers: (request) => ({ 'idempotency-key': `${run}-${request}` }) };
  return [
    { name: 'bare Fastify', server: bare, load: single },
    { name: 'bare Fastify with Kafka', server: bareWithKafka, load: single },
    { name: 'ours', server: ours, load: single },
    { name: 'ours with Idempotency-Key', server: ours, load: withKey },
    {
      name: 'ours, batches',
      server: ours,
      load: { path: '/v1/purchases/batch', bodies: batches, eventsPerRequest: batchItems, connections: batchConnections },
    },
  ];
}

async function measure({ server, load }: Subject, seconds: number): Promise<Measurement> {
  const before = await cpuSecondsOf(server.pid);
  const result = await runLoad({ ...load, url: server.url, seconds });
  const after = await cpuSecondsOf(server.pid);
  const events = result.accepted * load.eventsPerRequest;
  const cpuMicros = before === undefined || after === undefined ? undefined : (after - before) * 1e6;
  return {
    eventsPerSecond: events / result.seconds,
    p50Ms: quantile(result.latenciesMs, 0.5),
    p99Ms: quantile(result.latenciesMs, 0.99),
    p999Ms: quantile(result.latenciesMs, 0.999),
    cpuMicrosPerEvent: cpuMicros === undefined ? undefined : cpuMicros / Math.max(1, events),
    refused: result.refused,
  };
}

/** Every subject runs once in each round, so that a slow minute of the machine hits all of them. */
async function measureAll(subjects: readonly Subject[]): Promise<ReadonlyMap<SubjectName, Rounds>> {
  for (const subject of subjects) await measure(subject, warmUpSeconds);
  const measured = new Map<SubjectName, Measurement[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [turn] of subjects.entries()) {
      const subject = subjects[(round + turn) % subjects.length]!;
      measured.get(subject.name)!.push(await measure(subject, secondsPerRun));
    }
  }
  return measured;
}

function allFigures(measured: ReadonlyMap<SubjectName, Rounds>): Figure[] {
  const of = (name: SubjectName): Rounds => measured.get(name)!;
  const base = of('bare Fastify with Kafka');
  const ratio = (name: SubjectName, { accepted = {}, cpu = {}, p99 = {} }: Readonly<Record<string, RatioTarget>> = {}): Figure[] => [
    ...ratioOf(`${name} / bare Fastify with Kafka: accepted`, 'eventsPerSecond', of(name), base, accepted),
    ...ratioOf(`${name} / bare Fastify with Kafka: CPU`, 'cpuMicrosPerEvent', of(name), base, cpu),
    ...ratioOf(`${name} / bare Fastify with Kafka: p99`, 'p99Ms', of(name), base, p99),
  ];
  return [
    ...[...measured].flatMap(([name, all]) => figuresOf(name, all)),
    ...ratio('ours', { accepted: { min: 0.85 }, cpu: { max: 1.25 }, p99: { max: 1.5 } }),
    ...ratio('ours with Idempotency-Key'),
    ...ratioOf('ours, batches / ours: accepted', 'eventsPerSecond', of('ours, batches'), of('ours')),
  ];
}

async function main(asJson: boolean): Promise<void> {
  // A topic that no sink reads: the benchmark must not fill the table.
  const topic = await TestTopic.create('bench-purchases', { partitions: purchases.topic.partitions });
  const servers: ServerProcess[] = [];
  const start = async (server: Promise<ServerProcess>): Promise<ServerProcess> => {
    servers.push(await server);
    return servers.at(-1)!;
  };
  try {
    const bare = await start(startBareFastify(undefined));
    const bareWithKafka = await start(startBareFastify(topic.name));
    const ours = await start(startOurs({ PURCHASE_TOPIC: topic.name }));
    const subjects = subjectsOf(bare, bareWithKafka, ours);
    const figures = allFigures(await measureAll(subjects));
    const report = { benchmark: 'purchase', conditions: conditions(), figures };
    console.log(asJson ? JSON.stringify(report) : textOf(report));
  } finally {
    await Promise.allSettled(servers.map(async (server) => await server.stop()));
    await topic.delete();
  }
}

function conditions(): Readonly<Record<string, string | number>> {
  return {
    node: process.version,
    processors: cpus().length,
    note: 'load, server and Kafka share the processors; loopback; acks=all on one broker',
    rounds: `${rounds} interleaved rounds of ${secondsPerRun} s, medians`,
    eventBytes: purchase(0).length,
    single: `${connections} connections, one purchase per request`,
    batch: `${batchConnections} connections, ${batchItems} purchases per request`,
    idempotencyKey: 'a new key per request',
  };
}

function textOf(report: { readonly conditions: Readonly<Record<string, unknown>>; readonly figures: readonly Figure[] }): string {
  return [
    ...Object.entries(report.conditions).map(([name, value]) => `${name}: ${String(value)}`),
    '',
    ...report.figures.map(({ name, value, unit, target, met }) => {
      const verdict = target === undefined ? '' : `  (${target}: ${met === true ? 'met' : 'missed'})`;
      return `${name.padEnd(60)} ${value.toLocaleString('en').padStart(10)} ${unit}${verdict}`;
    }),
  ].join('\n');
}

await main(process.argv.includes('--json'));
