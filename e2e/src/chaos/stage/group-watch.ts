import { metricSum, readMetrics } from '../../metrics.ts';
import type { ServiceName } from '../attacks/attack.ts';
import type { Probe } from '../experiment/experiment-schema.ts';
import type { Group, GroupName } from './group.ts';

/** A service that hangs delays a reading by this at most. */
const readMsMax = 3000;

/** A change of a circuit. */
export interface CircuitChange {
  /** Milliseconds since the start of the experiment. */
  readonly atMs: number;
  readonly group: GroupName;
  readonly process: string;
  readonly pipeline: string;
  readonly state: string;
}

/** A probe of a metric. */
export type MetricProbe = Extract<Probe, { readonly metric: string }>;

/** Polls the metrics of a group: the circuits, the shed requests and the probed metrics. */
export class GroupWatch {
  readonly group: Group;
  readonly changes: CircuitChange[] = [];
  readonly #nowMs: () => number;
  readonly #probes: readonly MetricProbe[];
  readonly #largest = new Map<MetricProbe, number>();
  readonly #last = new Map<MetricProbe, number>();
  readonly #base = new Map<MetricProbe, number>();
  readonly #states = new Map<string, string>();
  readonly #shed = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #reading: Promise<void> | undefined;

  constructor(group: Group, probes: readonly MetricProbe[], nowMs: () => number) {
    this.group = group;
    this.#probes = probes;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => void this.read(), 400);
  }

  /** Forgets the values of the probes: a phase begins. */
  async beginPhase(): Promise<void> {
    await this.read();
    this.#largest.clear();
    for (const [probe, value] of this.#last) this.#base.set(probe, value);
  }

  /** The greatest value of a probed metric since the start of the phase, and of a counter its growth; undefined without a value. */
  largest(probe: MetricProbe): number | undefined {
    const value = this.#largest.get(probe);
    return value !== undefined && probe.metric.endsWith('_total') ? value - (this.#base.get(probe) ?? 0) : value;
  }

  /** Requests that each process shed, by name. */
  get shed(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#shed);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reads the metrics now, or waits for the reading under way. */
  async read(): Promise<void> {
    await (this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined)));
  }

  async #readAll(): Promise<void> {
    await Promise.all(
      Object.entries(this.group.urls).map(async ([process, url]) => {
        const text = await readMetrics(url, readMsMax).catch(() => undefined);
        if (text !== undefined) this.#take(process, text);
      }),
    );
  }

  #take(process: string, text: string): void {
    this.#shed.set(process, metricSum(text, 'millrace_pipeline_rejections_total', 'reason="shed"') ?? 0);
    for (const [, labels = ''] of text.matchAll(/^millrace_pipeline_circuit_state\{([^}]*)\} 1$/gm)) {
      const [pipeline, state] = [/pipeline="([^"]*)"/.exec(labels)?.[1] ?? '', /state="([^"]*)"/.exec(labels)?.[1] ?? ''];
      const key = `${process} ${pipeline}`;
      if ((this.#states.get(key) ?? 'closed') !== state)
        this.changes.push({ atMs: Math.round(this.#nowMs()), group: this.group.name, process, pipeline, state });
      this.#states.set(key, state);
    }
    for (const probe of this.#probes) {
      if (!isProcessOf(probe.service, process)) continue;
      const value = metricSum(text, probe.metric, probe.labels);
      if (value === undefined) continue;
      this.#last.set(probe, value);
      this.#largest.set(probe, Math.max(this.#largest.get(probe) ?? value, value));
    }
  }
}

function isProcessOf(service: ServiceName, process: string): boolean {
  return service === 'query' ? process.startsWith('query') : service === process;
}
