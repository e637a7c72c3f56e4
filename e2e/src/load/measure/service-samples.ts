import { metricSum, readMetrics } from '../../metrics.ts';
import type { TimedValue } from './trend.ts';

/** Values that are sampled from the metrics of each service. */
export const sampledMetrics = {
  heapMb: ['nodejs_heap_size_used_bytes', 1e-6],
  rssMb: ['process_resident_memory_bytes', 1e-6],
  openFiles: ['process_open_fds', 1],
  cpuSeconds: ['process_cpu_seconds_total', 1],
  shedLevel: ['millrace_shed_level', 1],
  lagRecords: ['millrace_sink_lag_records', 1],
  rowsLanded: ['millrace_sink_rows_landed_total', 1],
} as const;

/** Name of a sampled value. */
export type SampledName = keyof typeof sampledMetrics;

/** The samples of one service by name. A service without the metric has an empty series. */
export type ServiceSeries = Readonly<Record<SampledName, TimedValue[]>>;

const readMsMax = 3000;

/** Reads the metrics of the services every so many milliseconds. A read without an answer is left out. */
export class ServiceSamples {
  readonly series: Readonly<Record<string, ServiceSeries>>;
  readonly #urls: Readonly<Record<string, string>>;
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #reading = false;

  /** @param urls URL of each service */
  constructor(urls: Readonly<Record<string, string>>, everyMs = 1000) {
    this.#urls = urls;
    this.series = Object.fromEntries(Object.keys(urls).map((name) => [name, emptySeries()]));
    this.#timer = setInterval(() => void this.#read(), everyMs);
  }

  /** The last sample of a value. */
  last(service: string, name: SampledName): number | undefined {
    return this.series[service]?.[name].at(-1)?.[1];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    await Promise.all(
      Object.entries(this.#urls).map(async ([service, url]) => {
        const text = await readMetrics(url, readMsMax).catch(() => undefined);
        if (text === undefined) return;
        const second = (performance.now() - this.#beganMs) / 1000;
        for (const [name, [metric, factor]] of Object.entries(sampledMetrics)) {
          const value = metricSum(text, metric);
          if (value !== undefined) this.series[service]![name as SampledName].push([second, value * factor]);
        }
      }),
    );
    this.#reading = false;
  }
}

function emptySeries(): ServiceSeries {
  return Object.fromEntries(Object.keys(sampledMetrics).map((name) => [name, []])) as unknown as ServiceSeries;
}

/** The largest growth of a counter a second, over windows of at least so many seconds. */
export function largestRate(series: readonly TimedValue[], windowSeconds: number): number | undefined {
  let largest: number | undefined;
  let first = 0;
  for (const [second, value] of series) {
    while (series[first + 1] !== undefined && second - series[first + 1]![0] >= windowSeconds) first += 1;
    const [since, base] = series[first]!;
    if (second - since >= windowSeconds) largest = Math.max(largest ?? 0, (value - base) / (second - since));
  }
  return largest;
}
