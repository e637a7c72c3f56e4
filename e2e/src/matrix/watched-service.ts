import type { ServiceProcess } from '@millrace/testing';
import { ask } from '../http.ts';
import { readMetrics, seriesOf, type MetricSeries } from '../metrics.ts';

/** A dependency or circuit as `/health/ready` shows it. */
interface ShownHealth {
  readonly name: string;
  readonly status: 'up' | 'down';
  readonly required: boolean;
}

/** Where an operator sees circuits. */
export const shownIn = ['/metrics', '/health/ready', '/hystrix.stream'] as const;

/** Whether a circuit is open, in each of the places; undefined where it is not shown at all. */
export type CircuitShown = Readonly<Record<(typeof shownIn)[number], boolean | undefined>>;

/** A running service, as an operator sees it from outside. */
export class WatchedService {
  readonly service: ServiceProcess;

  constructor(service: ServiceProcess) {
    this.service = service;
  }

  get url(): string {
    return this.service.url;
  }

  /** The state of the service and of each dependency, as `/health/ready` gives it. */
  async ready(): Promise<{ httpStatus: number; status: string; down: string[]; up: string[] }> {
    const { status: httpStatus, body } = await ask<{ status: string; dependencies: readonly ShownHealth[] }>(`${this.url}/health/ready`);
    const named = (one: 'up' | 'down'): string[] => body.dependencies.filter(({ status }) => status === one).map(({ name }) => name);
    return { httpStatus, status: body.status, down: named('down'), up: named('up') };
  }

  /** Sum of the series of a metric with these labels, as `/metrics` shows them. 0 without a series. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return (await this.#series(name))
      .filter(({ text }) => wanted.every((one) => text.includes(one)))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Calls refused because a circuit is open, by pipeline. */
  async refusals(): Promise<ReadonlyMap<string, number>> {
    const series = (await this.#series('millrace_pipeline_rejections_total')).filter(({ text }) => text.includes('reason="circuit-open"'));
    return new Map(series.map(({ text, value }) => [pipelineOf(text), value]));
  }

  /**
   * How a circuit is shown, in the three places at once. A circuit that is half open lets nothing through but its probes, and counts as
   * open.
   */
  async circuit(pipeline: string): Promise<CircuitShown> {
    const [metrics, { up, down }, hystrix] = await Promise.all([this.#circuitState(pipeline), this.ready(), this.#hystrixOpen(pipeline)]);
    const health = `circuit-${pipeline}`;
    return {
      '/metrics': metrics === undefined ? undefined : metrics !== 'closed',
      '/health/ready': down.includes(health) ? true : up.includes(health) ? false : undefined,
      '/hystrix.stream': hystrix,
    };
  }

  async #circuitState(pipeline: string): Promise<string | undefined> {
    const current = (await this.#series('millrace_pipeline_circuit_state')).find(
      ({ text, value }) => value === 1 && pipelineOf(text) === pipeline,
    );
    return /state="([^"]*)"/.exec(current?.text ?? '')?.[1];
  }

  async #hystrixOpen(pipeline: string): Promise<boolean | undefined> {
    const stop = new AbortController();
    const { body } = await fetch(`${this.url}/hystrix.stream`, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]) });
    const seen = new Set<string>();
    let rest = '';
    try {
      for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        for (const line of lines.filter((one) => one.startsWith('data:'))) {
          const command = JSON.parse(line.slice('data:'.length)) as { name: string; isCircuitBreakerOpen: boolean };
          if (command.name === pipeline) return command.isCircuitBreakerOpen;
          // After the second round, every command has been shown.
          if (seen.has(command.name)) return undefined;
          seen.add(command.name);
        }
      }
      return undefined;
    } finally {
      stop.abort();
    }
  }

  async #series(name: string): Promise<MetricSeries[]> {
    return seriesOf(await readMetrics(this.url, 10_000), name);
  }
}

function pipelineOf(series: string): string {
  return /pipeline="([^"]*)"/.exec(series)![1]!;
}
