import { setTimeout as pause } from 'node:timers/promises';
import { FaultProxy, spawnService, type ServiceProcess, type SpawnedServiceName } from '@millrace/testing';

/** Short timeouts and break durations for the pipelines of a sink or projector, so that it recovers soon after a fault. */
export const shortWaits = {
  SINK_S3_ATTEMPT_TIMEOUT_MS: '3000',
  SINK_S3_BREAKER_BREAK_DURATION_MS: '200',
  SINK_S3_BREAKER_BREAK_DURATION_MS_MAX: '1000',
  SINK_GLUE_ATTEMPT_TIMEOUT_MS: '2000',
  SINK_GLUE_BREAKER_BREAK_DURATION_MS: '200',
  SINK_GLUE_BREAKER_BREAK_DURATION_MS_MAX: '1000',
};

/** How to start a service whose S3 and Glue fail. */
export interface ServiceUnderTestOptions {
  readonly service: SpawnedServiceName;
  /** URL of S3 and Glue. */
  readonly endpoint: string;
  readonly env: Readonly<Record<string, string>>;
  readonly tell: (line: string) => void;
}

/** One real service with a fault proxy before S3 and one before Glue; it restarts after a kill. */
export class ServiceUnderTest {
  readonly s3: FaultProxy;
  readonly glue: FaultProxy;
  readonly #service: SpawnedServiceName;
  readonly #env: Readonly<Record<string, string>>;
  readonly #tell: (line: string) => void;
  #process: ServiceProcess | undefined;
  #starting: Promise<void> = Promise.resolve();
  #unexpectedEnds = 0;
  #stopped = false;

  private constructor(s3: FaultProxy, glue: FaultProxy, { service, env, tell }: ServiceUnderTestOptions) {
    this.s3 = s3;
    this.glue = glue;
    this.#service = service;
    this.#env = { ...env, AWS_ENDPOINT_URL_S3: s3.url, AWS_ENDPOINT_URL_GLUE: glue.url };
    this.#tell = tell;
  }

  /** Starts proxies and service, and waits until it is ready. */
  static async start(options: ServiceUnderTestOptions): Promise<ServiceUnderTest> {
    const [s3, glue] = await Promise.all([
      FaultProxy.start({ protocol: 'http', target: options.endpoint }),
      FaultProxy.start({ protocol: 'http', target: options.endpoint }),
    ]);
    const started = new ServiceUnderTest(s3, glue, options);
    await started.#spawn('ready');
    return started;
  }

  /** Number of ends without a kill. */
  get unexpectedEnds(): number {
    return this.#unexpectedEnds;
  }

  get pid(): number {
    return this.#running.pid;
  }

  get url(): string {
    return this.#running.url;
  }

  /** Waits until it is back after a crash. */
  async untilRunning(): Promise<void> {
    await this.#starting;
  }

  /** Log lines since a time in milliseconds since the epoch. */
  linesSince(time: number): readonly string[] {
    return this.#running.output.split('\n').filter((line) => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '') >= time);
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.signal(signal);
  }

  /** Kills it with -9; it starts again after a time. */
  async crash(downMs: number): Promise<void> {
    const killed = this.#running;
    this.#process = undefined;
    await killed.kill('SIGKILL');
    this.#starting = pause(downMs).then(async () => await this.#spawn('live'));
    // The waiting caller gets the error.
    this.#starting.catch(() => undefined);
  }

  /** Stops it and its proxies. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#starting.catch(() => undefined);
    await this.#process?.kill('SIGTERM');
    await Promise.all([this.s3.close(), this.glue.close()]);
  }

  get #running(): ServiceProcess {
    if (this.#process === undefined) throw new Error(`the ${this.#service} does not run`);
    return this.#process;
  }

  async #spawn(until: 'ready' | 'live'): Promise<void> {
    const started = await spawnService(this.#service, this.#env, { until });
    this.#process = started;
    void this.#comeBackAfter(started);
  }

  async #comeBackAfter(started: ServiceProcess): Promise<void> {
    const { code, signal } = await started.ended;
    if (this.#stopped || this.#process !== started) return;
    this.#unexpectedEnds += 1;
    this.#process = undefined;
    this.#tell(`a ${this.#service} ended by itself (code ${code}, signal ${signal}):\n${started.output.split('\n').slice(-15).join('\n')}`);
    this.#starting = this.#spawn('live');
    this.#starting.catch(() => undefined);
  }
}
