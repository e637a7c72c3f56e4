import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeFlags } from '@millrace/contracts';
import { testParts } from './test-parts.ts';

/** One line of the sink's log. */
export interface LogLine {
  readonly msg: string;
  readonly time: string;
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** A sink as its operators run it: a separate process, started from the build. */
export class SinkProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  url = '';
  #wake: (() => void) | undefined;

  private constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (text) => this.#read(text));
    child.once('exit', () => this.#wake?.());
  }

  /**
   * Starts a sink and waits until it listens.
   *
   * @param under a command that becomes the sink, such as `prlimit`
   */
  static async start(settings: Readonly<Record<string, string>>, under: readonly string[] = []): Promise<SinkProcess> {
    const [command, ...args] = [...under, process.execPath];
    const child = spawn(command, [...args, ...nodeFlags, join(import.meta.dirname, '../../../dist/main.js')], {
      env: {
        PATH: process.env['PATH'],
        SINK_PORT: '0',
        SINK_RETRY_WAIT_MS_MAX: '1000',
        KAFKA_BROKERS: testParts.brokers,
        AWS_ENDPOINT_URL: testParts.awsUrl,
        AWS_REGION: testParts.region,
        AWS_ACCESS_KEY_ID: testParts.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testParts.credentials.secretAccessKey,
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sink = new SinkProcess(child);
    const { url } = await sink.line(({ msg }) => msg.startsWith('The sink service listens'));
    sink.url = String(url);
    return sink;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits for a line of the log, one already written included. */
  async line(matches: (line: LogLine) => boolean, withinMs = 60_000): Promise<LogLine> {
    const until = Date.now() + withinMs;
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      if (!this.alive || Date.now() > until)
        throw new Error(
          `the sink ${this.alive ? 'did not log' : 'ended before it logged'} the expected line; its last lines:\n${this.lines
            .slice(-15)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
        );
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), delay(200)]);
    }
  }

  /** Ends the process and waits for its end. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(`${this.url}${path}`);
    const text = await response.text();
    return { status: response.status, body: response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text };
  }

  /** The sum of a metric's series whose labels hold all of these. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { body } = await this.get('/metrics');
    return String(body)
      .split('\n')
      .filter(
        (line) => line.startsWith(`${name}{`) && Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)),
      )
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  #read(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as LogLine);
    } catch {
      this.lines.push({ msg: text, time: '' });
    }
    this.#wake?.();
  }
}
