import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

/** A service as an app writes it. Plain Node runs its build. */
const program = `
  import { Module } from '@nestjs/common';
  import { createLogger, drainSettings, readConfig, runMain, runService } from ${JSON.stringify(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))};
  import { Type } from 'typebox';
  class App { onModuleDestroy() { console.log(JSON.stringify({ msg: 'module destroyed' })); } }
  Module({})(App);
  await runMain(async () => {
    const config = readConfig(Type.Object({ SHOP_PORT: Type.Integer({ minimum: 0, maximum: 65535 }), SHOP_HOST: Type.String({ default: '127.0.0.1' }), ...drainSettings }), { prefixes: ['SHOP_'] });
    await runService({ name: 'shop', module: App, host: config.SHOP_HOST, port: config.SHOP_PORT, logger: createLogger({ name: 'shop' }), drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS });
  });
`;

let child: ChildProcess;
afterEach(() => child.kill('SIGKILL'));

function start(env: Record<string, string>): {
  exited: Promise<unknown>;
  errors: () => string;
  lines: Record<string, unknown>[];
  line: (match: (line: Record<string, unknown>) => boolean) => Promise<Record<string, unknown>>;
} {
  child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: { PATH: process.env['PATH'], ...env },
  });
  const lines: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout! }).on('line', (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    for (const wake of waiting.splice(0)) wake();
  });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return {
    exited: once(child, 'close').then(([code]) => code as unknown),
    errors: () => errors,
    lines,
    line: async (match) => {
      for (;;) {
        const found = lines.find(match);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

describe('a service as a process', () => {
  it('the service serves until SIGTERM, destroys its modules and exits with 0', async () => {
    const service = start({ SHOP_PORT: '0' });
    const { url } = await service.line((line) => typeof line['url'] === 'string');
    expect(await (await fetch(`${String(url)}/health/ready`)).json()).toMatchObject({ status: 'ready', service: 'shop' });
    child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(service.lines.map((line) => line['msg']).slice(-3)).toEqual(['Got SIGTERM: stopping.', 'module destroyed', 'Stopped.']);
  });

  it('the service is unready during its drain delay after SIGTERM and closes each connection with its answer', async () => {
    const service = start({ SHOP_PORT: '0', MILLRACE_DRAIN_DELAY_MS: '5000' });
    const { url } = await service.line((line) => typeof line['url'] === 'string');
    child.kill('SIGTERM');
    await service.line((line) => line['signal'] === 'SIGTERM');
    const [ready, live] = [await fetch(`${String(url)}/health/ready`), await fetch(`${String(url)}/health/live`)];
    expect([ready.status, ready.headers.get('connection'), live.status, live.headers.get('connection')]).toEqual([
      503,
      'close',
      200,
      'close',
    ]);
    expect(await ready.json()).toMatchObject({ status: 'stopping' });
    expect(await service.exited).toBe(0);
    await expect(fetch(`${String(url)}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('the service ignores variables that Kubernetes sets under the name of a setting', async () => {
    const service = start({
      SHOP_PORT: 'tcp://10.96.34.239:80',
      SHOP_SERVICE_HOST: '10.96.34.239',
      SHOP_SERVICE_PORT_HTTP: '80',
      SHOP_PROT: '1',
    });
    expect(await service.exited).toBe(78);
    // The port has no default here, and the misspelt setting is still refused.
    expect(service.errors()).toBe(
      'The settings cannot be used:\n  - SHOP_PORT is required.\n  - SHOP_PROT is not a known setting; did you mean SHOP_PORT?\n',
    );
  });

  it('the service exits with 78 and prints every problem when its settings are invalid', async () => {
    const service = start({ SHOP_PORT: 'x', SHOP_PROT: '1' });
    expect(await service.exited).toBe(78);
    expect(service.errors()).toBe(
      'The settings cannot be used:\n  - SHOP_PORT must be a whole number (it is "x").\n  - SHOP_PROT is not a known setting; did you mean SHOP_PORT?\n',
    );
  });

  it('the service does not listen on a reachable address without authentication', async () => {
    const service = start({ SHOP_PORT: '0', SHOP_HOST: '0.0.0.0' });
    expect(await service.exited).toBe(78);
    expect(service.errors()).toMatch(/^The service refuses to start: it would listen on 0\.0\.0\.0/);
  });
});
