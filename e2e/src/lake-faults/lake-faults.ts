import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { setTimeout as pause } from 'node:timers/promises';
import { purchases } from '@millrace/contracts';
import { LakeView, seededRandom, spawnService, waitUntil, type ServiceProcess, withoutShedding } from '@millrace/testing';
import { auditTable } from '../proof/audit-table.ts';
import { isClean, type Verdict } from '../proof/compare.ts';
import { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { PurchaseFlow } from '../proof/purchase-flow.ts';
import type { ServiceUnderTest } from '../proof/service-under-test.ts';
import { stack } from '../stack.ts';
import { CommitHistory } from './check/commit-history.ts';
import { killRebuilds, type KilledRebuild } from './check/kill-rebuilds.ts';
import { LakeCheck } from './check/lake-check.ts';
import { ViolationPlanter, type PlantedViolations } from './check/plant-violations.ts';
import { inflictLakeFault, type LakeScene } from './inflict-lake-fault.ts';
import { planLakeFaults, type PlannedLakeFault } from './lake-fault-plan.ts';
import { roundFailures, type InflictedLakeFault, type LakeFaultReport, type LakeRound } from './lake-report.ts';
import { BaseCopy } from './readers/base-copy.ts';
import { DuckDbLake } from './readers/duckdb-lake.ts';
import { LakeReaders } from './readers/lake-readers.ts';
import { startProjector } from './start-projector.ts';

/** Options of a run. */
export interface LakeFaultOptions {
  readonly faults: number;
  readonly seed: number;
  /** Faults after which everything is counted. */
  readonly faultsPerRound: number;
  readonly conditions: string;
  readonly tell: (line: string) => void;
}

const projectorCount = 2;

const queryEnv = {
  QUERY_ENGINES: 'duckdb',
  // A deleted file must not be hidden by a copy.
  QUERY_DUCKDB_CACHE_MB: '0',
  ...withoutShedding('QUERY'),
};

/** Strikes two projectors while purchases land and readers read. Runs on the stack of its environment, where no service is up. */
export async function runLakeFaults(options: LakeFaultOptions): Promise<LakeFaultReport> {
  const { faults, seed, faultsPerRound, tell } = options;
  const started = performance.now();
  const run = await LakeRun.start(options);
  const inflicted: InflictedLakeFault[] = [];
  const rounds: LakeRound[] = [];
  let planted: PlantedViolations | undefined;
  try {
    tell('rebuilds are killed');
    const killedRebuilds = await run.killRebuilds();
    for (const { step, applied, struck, exact } of killedRebuilds)
      tell(`rebuild killed at ${step}${applied ? ', applied' : ''}: ${struck ? 'struck' : 'idle'}, ${exact ? 'exact' : 'NOT EXACT'}`);
    const plan = planLakeFaults({ faults, seed, projectors: projectorCount });
    for (let from = 0; from < plan.length; from += faultsPerRound) {
      run.flow.start();
      inflicted.push(...(await strike(plan.slice(from, from + faultsPerRound), from, run, started, tell)));
      const round = await run.count();
      rounds.push(round);
      const failures = roundFailures(round);
      const outcome = failures.length === 0 ? 'exact' : failures.join('; ');
      tell(`round ${rounds.length}: ${round.base.rows} rows, ${round.underFaults.compared} answers compared: ${outcome}`);
      if (failures.length > 0) break;
    }
    await run.readers.stop();
    await run.stopProjectors();
    if (rounds.every((round) => roundFailures(round).length === 0)) {
      tell('violations are planted');
      planted = await run.plant();
    }
    return {
      seed,
      date: new Date().toISOString().slice(0, 10),
      conditions: options.conditions,
      faultsPlanned: faults,
      faultsPerRound,
      faults: inflicted,
      rounds,
      commits: run.history.counts,
      deleted: run.history.deleted,
      slowestReadMs: Object.fromEntries(run.readers.loops.map(({ name, slowestMs }) => [name, slowestMs])),
      ...(planted === undefined ? {} : { planted }),
      killedRebuilds,
      unexpectedEnds: run.projectors.reduce((sum, projector) => sum + projector.unexpectedEnds, 0),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await run.stop();
  }
}

/** Strikes each projector with its faults, one after the other; the projectors are struck at the same time. */
async function strike(
  plan: readonly PlannedLakeFault[],
  from: number,
  scene: LakeScene & Pick<LakeRun, 'history'>,
  started: number,
  tell: (line: string) => void,
): Promise<InflictedLakeFault[]> {
  const numbered = plan.map((fault, index) => ({ ...fault, n: from + index }));
  const struck = await Promise.all(
    scene.projectors.map(async (_, projector) => {
      const done: InflictedLakeFault[] = [];
      for (const fault of numbered.filter((one) => one.projector === projector)) {
        await pause(fault.pauseMs);
        const atMs = Math.round(performance.now() - started);
        const outcome = await inflictLakeFault(fault, scene);
        done.push({ ...fault, ...outcome, atMs });
        // Listed often, so that most objects are known before they are deleted.
        await scene.history.list();
        const said = outcome.hit ? `struck: ${outcome.inFlight}` : `${fault.step} idle, not counted`;
        const at = `${(atMs / 1000).toFixed(1).padStart(7)} s`;
        tell(`${String(fault.n + 1).padStart(4)}  ${at}  projector-${projector + 1}  ${fault.kind.padEnd(18)} ${said}`);
      }
      return done;
    }),
  );
  return struck.flat().toSorted((a, b) => a.n - b.n);
}

/** The processes and readers of a run. */
class LakeRun implements LakeScene {
  readonly bucket = stack.bucket;
  readonly table = purchases.table;
  readonly projectors: readonly ServiceUnderTest[];
  readonly flow: PurchaseFlow;
  readonly readers: LakeReaders;
  readonly history: CommitHistory;
  readonly #services: readonly ServiceProcess[];
  readonly #judge: Judge;
  readonly #check: LakeCheck;
  readonly #base: BaseCopy;
  readonly #duckdb: readonly DuckDbLake[];
  readonly #view: LakeView;
  #areProjectorsStopped = false;

  private constructor(
    parts: {
      readonly services: readonly ServiceProcess[];
      readonly projectors: readonly ServiceUnderTest[];
      readonly duckdb: readonly [DuckDbLake, DuckDbLake];
      readonly purchaseUrl: string;
      readonly apiUrl: string;
    },
    seed: number,
  ) {
    const { services, projectors, duckdb, purchaseUrl, apiUrl } = parts;
    this.projectors = projectors;
    this.#services = services;
    this.#duckdb = duckdb;
    const numbers = new EventNumbers(seed);
    // One row a second in each file keeps the base small over the whole run.
    this.flow = new PurchaseFlow({
      purchaseUrl,
      numbers,
      rate: 40,
      itemsPerRequest: 5,
      requestsMax: 16,
      days: 2,
      random: seededRandom(seed + 1),
    });
    this.#view = new LakeView({ endpoint: stack.awsUrl, bucket: stack.bucket });
    this.#judge = new Judge({
      s3: new S3Client({ endpoint: stack.awsUrl, forcePathStyle: true, maxAttempts: 5 }),
      bucket: stack.bucket,
      table: purchases.table,
      brokers: stack.kafkaBrokers.split(','),
      topic: purchases.topic.name,
      partitions: purchases.topic.partitions,
      numbers,
    });
    this.history = new CommitHistory(this.#view, purchases.table);
    this.#base = new BaseCopy(duckdb[0], this.#view, purchases.table);
    this.readers = new LakeReaders({
      apiUrl,
      endpoint: stack.awsUrl,
      glue: new GlueClient({ endpoint: stack.awsUrl }),
      view: this.#view,
      duckdb: duckdb[1],
      table: purchases.table,
      inCatalog: { database: stack.database, name: `${purchases.table}_iceberg` },
    });
    this.#check = new LakeCheck(this.#base, this.readers);
  }

  static async start({ seed, tell }: LakeFaultOptions): Promise<LakeRun> {
    const purchase = await spawnService('purchase');
    const sink = await spawnService('sink', { SINK_FLUSH_SECONDS: '2', SINK_RECONCILE_SECONDS: '1' });
    const api = await spawnService('query-api', queryEnv);
    const worker = await spawnService('query-worker', queryEnv);
    const projectors = await Promise.all(Array.from({ length: projectorCount }, async () => await startProjector(stack.awsUrl, tell)));
    const services = [purchase, sink, api, worker];
    const duckdb = [await DuckDbLake.open(stack.awsUrl), await DuckDbLake.open(stack.awsUrl)] as const;
    const run = new LakeRun({ services, projectors, duckdb, purchaseUrl: purchase.url, apiUrl: api.url }, seed);
    await run.readers.open();
    run.flow.start();
    tell('purchases land');
    await waitUntil('the first merge', async () => await run.#hasMerged(), { timeoutMs: 120_000, everyMs: 500 });
    run.readers.start();
    return run;
  }

  /** Lets everything land, and compares. Readers go on meanwhile. */
  async count(): Promise<LakeRound> {
    for (const projector of this.projectors) await projector.untilRunning();
    await this.flow.stop();
    const base = await this.#countBase();
    const readers = await this.#check.settledVerdicts();
    const underFaults = await this.#check.answersUnderFaults();
    await this.history.list();
    await this.history.readCommits();
    return { base, baseFilesGone: this.#base.gone.length, readers, underFaults, audit: await auditTable(purchases.table) };
  }

  /** Plants violations. Readers and projectors must have stopped. */
  async plant(): Promise<PlantedViolations> {
    const planter = new ViolationPlanter(this.#check, stack.bucket);
    try {
      return await planter.run();
    } finally {
      planter.close();
    }
  }

  /** Kills rebuilds in the middle. The base is still small, so that the table is soon compact again. */
  async killRebuilds(): Promise<KilledRebuild[]> {
    return await killRebuilds(this.table, async () => await this.#check.isExactNow());
  }

  async stopProjectors(): Promise<void> {
    this.#areProjectorsStopped = true;
    await Promise.all(this.projectors.map(async (projector) => await projector.stop()));
  }

  async stop(): Promise<void> {
    await this.readers.stop();
    if (!this.#areProjectorsStopped) await this.stopProjectors();
    await Promise.all(this.#services.map(async (service) => await service.kill('SIGTERM')));
    await this.readers.close();
    for (const duckdb of this.#duckdb) duckdb.close();
    this.#view.close();
  }

  // Within two minutes every purchase gets its receipt and every record its row. A missing one is lost.
  async #countBase(): Promise<Verdict> {
    const late = performance.now() + 120_000;
    for (;;) {
      const verdict = await this.#judge.verdict((number) => this.flow.isAcknowledged(number), this.flow.sent);
      if (isClean(verdict) || verdict.duplicated.count > 0 || performance.now() > late) return verdict;
      await pause(500);
    }
  }

  async #hasMerged(): Promise<boolean> {
    await this.history.list();
    await this.history.readCommits();
    return this.history.counts.merges > 0;
  }
}
