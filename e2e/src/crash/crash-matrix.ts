import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { setTimeout as pause } from 'node:timers/promises';
import { purchases } from '@millrace/contracts';
import { seededRandom, spawnService, stackPart } from '@millrace/testing';
import { isClean, type Verdict } from '../proof/compare.ts';
import { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { PurchaseFlow } from '../proof/purchase-flow.ts';
import { auditTable, type TableAudit } from '../proof/audit-table.ts';
import type { ServiceUnderTest } from '../proof/service-under-test.ts';
import { faultKinds, planFaults, type CrashFaultKind } from './fault-plan.ts';
import { inflict, type Scene } from './inflict.ts';
import { holds, type CrashReport, type InflictedFault } from './report.ts';
import { startSink } from './start-sink.ts';

/** Options of a run of the matrix. */
export interface CrashMatrixOptions {
  readonly faults: number;
  readonly seed: number;
  /** Faults after which everything is counted and audited. */
  readonly faultsPerRound: number;
  readonly conditions: string;
  /** Only these kinds; default all. */
  readonly kinds?: readonly CrashFaultKind[];
  /** A topic and a table of this run alone. Default: those of the contract, whose services must not run. */
  readonly place?: { readonly topic: string; readonly table: string };
  readonly tell: (line: string) => void;
}

const sinkCount = 2;

const contractPlace = { topic: purchases.topic.name, table: purchases.table };

/**
 * Purchases flow into two sinks of one group while faults strike; after each round everything is counted and audited. A round that is not
 * clean, or that the audit does not call complete, is the last. Runs on the stack of its environment.
 */
export async function runCrashMatrix({
  faults,
  seed,
  faultsPerRound,
  conditions,
  kinds = faultKinds,
  place = contractPlace,
  tell,
}: CrashMatrixOptions): Promise<CrashReport & { readonly passed: boolean }> {
  const started = performance.now();
  const { KAFKA_BROKERS: brokers = '', AWS_ENDPOINT_URL: endpoint = '', LAKE_BUCKET: bucket = '' } = process.env;
  const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 5 });
  const numbers = new EventNumbers(seed);
  const { topic, table } = place;
  const purchase = await spawnService('purchase', { PURCHASE_TOPIC: topic });
  const sinks = await Promise.all(
    Array.from({ length: sinkCount }, async (_, n) => await startSink({ name: `${table}-sink-${n + 1}`, endpoint, topic, table, tell })),
  );
  const flow = new PurchaseFlow({
    purchaseUrl: purchase.url,
    numbers,
    rate: 300,
    itemsPerRequest: 5,
    requestsMax: 64,
    days: 2,
    random: seededRandom(seed + 1),
  });
  const judge = new Judge({ s3, bucket, table, brokers: brokers.split(','), topic, partitions: purchases.topic.partitions, numbers });
  const kafka = stackPart('kafka');
  const scene: Scene = {
    sinks,
    bucket,
    table,
    deleteObject: async (key) => void (await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))),
    requestsUnderWay: () => flow.requestsUnderWay,
    restartKafka: async (downMs) => {
      await kafka.signal('SIGKILL');
      await pause(downMs);
      await kafka.start();
    },
  };

  const inflicted: InflictedFault[] = [];
  const verdicts: Verdict[] = [];
  const audits: TableAudit[] = [];
  try {
    const plan = planFaults({ faults, seed, sinks: sinkCount, kinds });
    flow.start();
    for (const [n, fault] of plan.entries()) {
      await pause(fault.pauseMs);
      const atMs = Math.round(performance.now() - started);
      const struck = await inflict(fault, scene);
      inflicted.push({ ...fault, ...struck, n, atMs });
      tell(
        `${String(n + 1).padStart(4)} of ${faults}  ${(atMs / 1000).toFixed(1).padStart(7)} s  sink-${fault.sink + 1}  ${fault.kind.padEnd(17)} ${struck.hit ? `struck: ${struck.inFlight}` : 'idle, not counted'}`,
      );
      if ((n + 1) % faultsPerRound !== 0 && n + 1 !== plan.length) continue;
      const verdict = await count(flow, judge, sinks);
      verdicts.push(verdict);
      tell(
        `counted: ${verdict.acknowledged} acknowledged, ${verdict.rows} rows, ${verdict.lost.count} lost, ${verdict.duplicated.count} duplicated, ${verdict.unexplained.count} unexplained`,
      );
      const audit = await auditUntilComplete(table);
      audits.push(audit);
      tell(`audited in ${(audit.ms / 1000).toFixed(1)} s: ${audit.said}`);
      if (!isClean(verdict) || !audit.complete) break;
      if (n + 1 < plan.length) flow.start();
    }
    const planted = await plant(judge, flow, s3, { bucket, table });
    const audit = await auditTable(table, { deep: true });
    tell(`audited to the last byte in ${(audit.ms / 1000).toFixed(1)} s: ${audit.said}`);
    const unexpectedEnds = sinks.reduce((sum, sink) => sum + sink.unexpectedEnds, 0);
    const report: CrashReport = {
      seed,
      date: new Date().toISOString().slice(0, 10),
      conditions,
      kinds,
      faultsPlanned: faults,
      faultsPerRound,
      faults: inflicted,
      verdicts,
      audits,
      planted,
      audit,
      unexpectedEnds,
      clientRetries: flow.retries,
      seconds: (performance.now() - started) / 1000,
    };
    return { ...report, passed: holds(report) };
  } finally {
    await Promise.all([purchase.kill('SIGTERM'), ...sinks.map(async (sink) => await sink.stop())]);
  }
}

// Within two minutes every purchase gets its receipt and every record its row. A missing one is lost.
async function count(flow: PurchaseFlow, judge: Judge, sinks: readonly ServiceUnderTest[]): Promise<Verdict> {
  for (const sink of sinks) await sink.untilRunning();
  await flow.stop();
  const late = performance.now() + 120_000;
  for (;;) {
    const verdict = await judge.verdict((number) => flow.isAcknowledged(number), flow.sent);
    if (isClean(verdict) || verdict.duplicated.count > 0 || performance.now() > late) return verdict;
    await pause(1000);
  }
}

// The catalog follows the table: what Glue missed while it was down, the sinks register within seconds.
async function auditUntilComplete(table: string): Promise<TableAudit> {
  const late = performance.now() + 30_000;
  for (;;) {
    const audit = await auditTable(table);
    if (audit.complete || performance.now() > late) return audit;
    await pause(1000);
  }
}

// A checker proves something only after it has detected a planted fault.
async function plant(
  judge: Judge,
  flow: PurchaseFlow,
  s3: S3Client,
  { bucket, table }: { readonly bucket: string; readonly table: string },
): Promise<CrashReport['planted']> {
  const verdict = async (): Promise<Verdict> => await judge.verdict((number) => flow.isAcknowledged(number), flow.sent);
  const { Contents: files = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${table}/`, MaxKeys: 1 }));
  const key = files[0]?.Key;
  if (key === undefined) return { lossCaught: false, duplicateCaught: false };
  const copy = key.replace(/\.parquet$/, '-planted.parquet');
  await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: copy, CopySource: `${bucket}/${encodeURI(key)}` }));
  const duplicateCaught = (await verdict()).duplicated.count > 0;
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: copy }));

  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const bytes = await body!.transformToByteArray();
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  const lossCaught = (await verdict()).lost.count > 0;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  return { lossCaught, duplicateCaught };
}
