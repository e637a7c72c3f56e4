import { availableParallelism, cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { stack } from '../stack.ts';
import type { Capacity } from './breakpoint.ts';
import { OpenLoad, type LoadState, type PhaseResult } from './generator/open-load.ts';
import { RequestSender } from './generator/request-sender.ts';
import { SentEvents } from './generator/sent-events.ts';
import type { LoadContext, ProfileFindings } from './load-context.ts';
import { isComplete, LakeCount, type LakeCounts } from './measure/lake-count.ts';
import { ServiceSamples, type ServiceSeries } from './measure/service-samples.ts';
import { judge, judgeThreshold, type Judged } from './measure/threshold.ts';
import { load, smoke, spike, type FixedProfile, type ProfileName } from './profiles.ts';
import { runBreakpoint } from './run-breakpoint.ts';
import { runSoak, type SoakOptions } from './run-soak.ts';
import { runStress } from './run-stress.ts';

/** Settings of a load. */
export interface LoadOptions {
  readonly profile: ProfileName;
  readonly soak: SoakOptions;
  /** Services whose metrics are sampled, by name. */
  readonly services: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
  /** Sees the load while it runs. */
  readonly watch: (state: () => LoadState | undefined, samples: ServiceSamples) => void;
}

/** Everything that a load measured. */
export interface LoadReport {
  readonly profile: ProfileName;
  /** Start of the load, ISO 8601. */
  readonly at: string;
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly judged: readonly Judged[];
  readonly passed: boolean;
  readonly lake: LakeCounts;
  readonly capacities: readonly Capacity[];
  /** Reasons of failed requests with their counts. */
  readonly failures: Readonly<Record<string, number>>;
  readonly phases: readonly PhaseResult[];
  readonly services: Readonly<Record<string, ServiceSeries>>;
}

const landMsMax = 300_000;
const stepSeconds = 6;
const overloadSeconds = 60;

/** Runs a profile on the stack of its environment, and counts every acknowledged event in the table. */
export async function runLoad({ profile, soak, services, signal, tell, watch }: LoadOptions): Promise<LoadReport> {
  const at = new Date().toISOString();
  const lake = await LakeCount.open({ endpoint: stack.awsUrl, bucket: stack.bucket, table: stack.table });
  const events = new SentEvents(Date.now() & 0xffffffff);
  const sender = new RequestSender({ purchaseUrl: stack.purchaseUrl, queryUrl: stack.queryUrl }, events);
  const generator = new OpenLoad(sender);
  const samples = new ServiceSamples(services);
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const phases: PhaseResult[] = [];
  watch(() => generator.state, samples);
  try {
    const run: LoadContext['run'] = async (phase) => {
      const result = await generator.run(phase, signal);
      phases.push(result);
      return result;
    };
    const { judged, capacities = [] } = await runProfile(profile, { run, samples, signal, tell }, soak);
    delay.disable();
    tell(`${events.acknowledged} events acknowledged; counting them in the table …`);
    const counts = await lake.count(events, landMsMax, signal);
    const all = [
      ...judged,
      judge('acknowledged events that are not in the table', counts.lost, { atMost: 0 }),
      judge('events that are in the table twice', counts.duplicated, { atMost: 0 }),
    ];
    return {
      profile,
      at,
      conditions: {
        cores: availableParallelism(),
        cpu: cpus()[0]?.model ?? 'unknown',
        node: process.versions.node,
        'p99 of the event-loop delay of the generator in ms': Math.round(delay.percentile(99) / 1e5) / 10,
      },
      judged: all,
      passed: all.every(({ met }) => met) && isComplete(counts),
      lake: counts,
      capacities,
      failures: sender.failures,
      phases,
      services: samples.series,
    };
  } finally {
    samples.stop();
    lake.close();
    await sender.close();
  }
}

async function runProfile(profile: ProfileName, context: LoadContext, soak: SoakOptions): Promise<ProfileFindings> {
  switch (profile) {
    case 'smoke':
      return await runFixed(smoke, context);
    case 'load':
      return await runFixed(load, context);
    case 'spike':
      return await runFixed(spike, context);
    case 'breakpoint':
      return await runBreakpoint(context, stepSeconds);
    case 'stress':
      return await runStress(context, stepSeconds, overloadSeconds);
    case 'soak':
      return await runSoak(context, soak);
  }
}

async function runFixed({ phases, thresholds }: FixedProfile, { run }: LoadContext): Promise<ProfileFindings> {
  const results: PhaseResult[] = [];
  for (const phase of phases) results.push(await run(phase));
  return { judged: thresholds.map((threshold) => judgeThreshold(threshold, results)) };
}
