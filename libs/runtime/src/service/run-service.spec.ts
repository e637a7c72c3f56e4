import { Controller, Get, Module } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError, StartRefusedError } from '../errors.ts';
import { createLogger } from '../logging/create-logger.ts';
import { Lifecycle } from './lifecycle.ts';
import { runMain, runService } from './run-service.ts';
import type { RunningService, ServiceOptions } from './start-service.ts';

class FakeProcess extends EventEmitter {
  env: Record<string, string> = {};
  readonly codes: number[] = [];
  printed = '';
  readonly stderr = { write: (text: string): void => void (this.printed += text) };
  private readonly exits = Promise.withResolvers<number>();
  /** The code of the first exit. */
  readonly exited = this.exits.promise;

  exit(code: number): void {
    this.codes.push(code);
    this.exits.resolve(code);
  }
}

const effects: string[] = [];
let release: () => void;
let entered: Promise<void>;
let enter: () => void;

@Controller('slow')
class SlowController {
  @Get()
  async slow(): Promise<string> {
    enter();
    await new Promise<void>((resolve) => (release = resolve));
    effects.push('answered');
    return 'done';
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {
  onModuleDestroy(): void {
    effects.push('destroyed');
  }

  onApplicationShutdown(): void {
    effects.push('shut down');
  }
}

let current: FakeProcess;
let lines: string[];
let running: RunningService | undefined;

async function run(settings: Partial<ServiceOptions> = {}, env: Record<string, string> = {}): Promise<RunningService | undefined> {
  current = new FakeProcess();
  current.env = env;
  lines = [];
  effects.length = 0;
  ({ promise: entered, resolve: enter } = Promise.withResolvers<void>());
  running = await runService(
    {
      name: 'slow',
      module: SlowModule,
      port: 0,
      logger: createLogger({ name: 'slow', stream: { write: (line: string) => void lines.push(line) } }),
      ...settings,
    },
    current,
  );
  return running;
}

afterEach(async () => {
  release?.();
  await running?.close();
});

describe('runService', () => {
  it('SIGTERM makes the service finish its requests, destroy its modules and exit with 0', async () => {
    const service = await run();
    const answer = fetch(`${service!.url}/slow`);
    await entered;
    current.emit('SIGTERM');
    expect(service!.app.get(Lifecycle).stopping.aborted).toBe(true);
    expect(effects).toEqual([]);
    release();
    const response = await answer;
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.text()).toBe('done');
    expect(await current.exited).toBe(0);
    expect(effects).toEqual(['answered', 'destroyed', 'shut down']);
    await expect(fetch(`${service!.url}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('one debug line names the variables of Kubernetes that the service ignores', async () => {
    const logger = createLogger({ name: 'slow', level: 'debug', stream: { write: (line: string) => void lines.push(line) } });
    await run({ logger }, { SLOW_PORT: 'tcp://10.96.34.239:80', SLOW_SERVICE_HOST: '10.96.34.239', SLOW_HOST: '127.0.0.1' });
    const told = lines.filter((line) => line.includes('Kubernetes')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toMatchObject([{ level: 'debug', variables: ['SLOW_PORT', 'SLOW_SERVICE_HOST'] }]);
  });

  it('the service exits at once on a second signal', async () => {
    const service = await run();
    const answer = fetch(`${service!.url}/slow`);
    await entered;
    current.emit('SIGINT');
    current.emit('SIGINT');
    expect(await current.exited).toBe(1);
    release();
    await answer;
  });

  it('the service logs an error and exits with 1 when stopping takes too long', async () => {
    const service = await run({ shutdownMsMax: 20 });
    const answer = fetch(`${service!.url}/slow`);
    await entered;
    current.emit('SIGTERM');
    expect(await current.exited).toBe(1);
    expect(lines.at(-1)).toContain('Stopping took longer than 20 ms');
    release();
    await answer;
  });

  it.each(['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'])(
    'the service exits with 1 when the hook %s fails',
    async (hook) => {
      @Module({})
      class FailingModule {}
      Object.assign(FailingModule.prototype, { [hook]: async () => await Promise.reject(new Error('the batch was not landed')) });
      await run({ module: FailingModule });
      current.emit('SIGTERM');
      expect(await current.exited).toBe(1);
      expect(lines.join('')).toContain('the batch was not landed');
      expect(lines.at(-1)).toContain('Stopping failed.');
      running = undefined;
    },
  );

  it('the service exits with 1 on an uncaught error', async () => {
    await run();
    current.emit('unhandledRejection', new Error('lost'));
    expect(current.codes).toEqual([1]);
    expect(lines.at(-1)).toContain('lost');
  });

  it('the error names a port that is already in use', async () => {
    const first = await run();
    const port = Number(new URL(first!.url).port);
    await run({ port });
    expect(current.codes).toEqual([1]);
    expect(lines.some((line) => line.includes('its port is taken'))).toBe(true);
    await first!.close();
  });
});

async function failWith(error: unknown): Promise<FakeProcess> {
  const fake = new FakeProcess();
  await runMain(async () => {
    throw error;
  }, fake);
  return fake;
}

describe('runMain', () => {
  it('runMain prints every invalid setting and exits with 78', async () => {
    const fake = await failWith(new ConfigError(['A is wrong.', 'B is wrong.']));
    expect(fake.printed).toBe('The settings cannot be used:\n  - A is wrong.\n  - B is wrong.\n');
    expect(fake.codes).toEqual([78]);
  });

  it('runMain prints why the service refuses to start and exits with 78', async () => {
    const fake = await failWith(new StartRefusedError('the address is not allowed.'));
    expect(fake.printed).toBe('The service refuses to start: the address is not allowed.\n');
    expect(fake.codes).toEqual([78]);
  });

  it('runMain exits with 1 on any other error', async () => {
    expect((await failWith(new Error('odd'))).codes).toEqual([1]);
  });
});
