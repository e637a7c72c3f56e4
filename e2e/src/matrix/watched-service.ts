import type { ServiceProcess } from '@millrace/testing';
import { ask } from '../http.ts';

/** A dependency or circuit as `/health/ready` shows it. */
interface ShownHealth {
  readonly name: string;
  readonly status: 'up' | 'down';
  readonly required: boolean;
}

/** A running service, as an operator sees it from outside. */
export class WatchedService {
  readonly service: ServiceProcess;

  constructor(service: ServiceProcess) {
    this.service = service;
  }

  get url(): string {
    return this.service.url;
  }

  /** What `/health/ready` says of the whole service and of each thing it needs. */
  async ready(): Promise<{ status: string; down: string[] }> {
    const { body } = await ask<{ status: string; dependencies: readonly ShownHealth[] }>(`${this.url}/health/ready`);
    return { status: body.status, down: body.dependencies.filter(({ status }) => status === 'down').map(({ name }) => name) };
  }

  /** Sum of the series of a metric that carry these labels, as `/metrics` shows them; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return (await this.#series(name)).filter(({ text }) => wanted.every((one) => text.includes(one))).reduce((sum, { value }) => sum + value, 0);
  }

  /** The state of every circuit by the name of its pipeline, as `/metrics` shows it. */
  async circuits(): Promise<Map<string, string>> {
    const states = (await this.#series('millrace_pipeline_circuit_state')).filter(({ value }) => value === 1);
    return new Map(states.map(({ text }) => [/pipeline="([^"]*)"/.exec(text)![1]!, /state="([^"]*)"/.exec(text)![1]!]));
  }

  /** Whether a circuit is open in `/hystrix.stream`; undefined when the stream knows no such command. */
  async hystrixOpen(pipeline: string): Promise<boolean | undefined> {
    const stop = new AbortController();
    const { body } = await fetch(`${this.url}/hystrix.stream`, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]) });
    const seen = new Set<string>();
    let rest = '';
    try {
      for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        for (const line of lines.filter((one) => one.startsWith('data:'))) {
          const command = JSON.parse(line.slice(5)) as { name: string; isCircuitBreakerOpen: boolean };
          if (command.name === pipeline) return command.isCircuitBreakerOpen;
          // The second time round: every command has been shown.
          if (seen.has(command.name)) return undefined;
          seen.add(command.name);
        }
      }
      return undefined;
    } finally {
      stop.abort();
    }
  }

  /** How a circuit is shown, in the three places at once. */
  async circuit(pipeline: string): Promise<{ metrics: string | undefined; ready: 'up' | 'down'; hystrix: 'open' | 'closed' | undefined }> {
    const [circuits, { down }, open] = await Promise.all([this.circuits(), this.ready(), this.hystrixOpen(pipeline)]);
    const hystrix = open === undefined ? undefined : open ? 'open' : 'closed';
    return { metrics: circuits.get(pipeline), ready: down.includes(`circuit-${pipeline}`) ? 'down' : 'up', hystrix };
  }

  async #series(name: string): Promise<{ text: string; value: number }[]> {
    const text = await (await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .map((line) => ({ text: line, value: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
  }
}
