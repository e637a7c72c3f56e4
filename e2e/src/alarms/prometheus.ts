import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitUntil } from '@millrace/testing';

/** An alert as Prometheus sees it now. */
export interface Alert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
}

/** Settings of a {@link Prometheus}. */
export interface PrometheusSettings {
  /** Path of the binary. */
  readonly binary: string;
  /** Text of the rules file. */
  readonly rules: string;
  /** `host:port` of the scraped service. */
  readonly target: string;
  /** Time between two scrapes, and between two evaluations, in milliseconds. */
  readonly everyMs: number;
  /** An empty folder for its data. */
  readonly folder: string;
}

// Output kept for an error, in characters.
const outputCharsMax = 4000;

/** A real Prometheus process on loopback. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #folder: string;

  private constructor(child: ChildProcess, url: string, folder: string) {
    this.#child = child;
    this.#url = url;
    this.#folder = folder;
  }

  /**
   * Starts it and waits until it has scraped its target.
   *
   * @throws Error with the end of its output when it does not start
   */
  static async start({ binary, rules, target, everyMs, folder }: PrometheusSettings): Promise<Prometheus> {
    await mkdir(folder, { recursive: true });
    const every = `${everyMs}ms`;
    const config = {
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
      rule_files: [join(folder, 'rules.yaml')],
      scrape_configs: [{ job_name: 'millrace', static_configs: [{ targets: [target] }] }],
    };
    await writeFile(join(folder, 'rules.yaml'), rules);
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yaml'), JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ];
    const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-outputCharsMax)));
    child.once('error', (error) => void (output += String(error)));
    const prometheus = new Prometheus(child, `http://${address}`, folder);
    try {
      await waitUntil(
        'Prometheus to have scraped its target',
        async () => (await prometheus.#query('up{job="millrace"} == 1')).length === 1,
        { timeoutMs: 60_000 },
      );
      return prometheus;
    } catch (cause) {
      await prometheus.close();
      throw new Error(`${(cause as Error).message}\nThe end of its output:\n${output}`, { cause });
    }
  }

  /** Every alert that is pending or fires. */
  async alerts(): Promise<readonly Alert[]> {
    const { alerts } = await this.#get<{ alerts: { state: Alert['state']; labels: Record<string, string> }[] }>('alerts');
    return alerts.map(({ state, labels }) => ({ name: labels['alertname'] ?? '', state, labels }));
  }

  /** Names of the alerts that fire. */
  async firing(): Promise<readonly string[]> {
    return [...new Set((await this.alerts()).filter(({ state }) => state === 'firing').map(({ name }) => name))].toSorted();
  }

  async close(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #query(expression: string): Promise<readonly unknown[]> {
    return (await this.#get<{ result: unknown[] }>(`query?query=${encodeURIComponent(expression)}`)).result;
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`, { signal: AbortSignal.timeout(5000) });
    return ((await answer.json()) as { data: T }).data;
  }
}
