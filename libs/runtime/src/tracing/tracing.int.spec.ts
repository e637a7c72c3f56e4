import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** A service as an app writes it. It prints the packages of OpenTelemetry that it loads. */
const program = `
  import { registerHooks } from 'node:module';
  const loaded = new Set();
  registerHooks({ load(url, context, next) { const name = /@opentelemetry\\/[a-z-]+/.exec(url); if (name) loaded.add(name[0]); return next(url, context); } });
  const { createLogger, runMain, runService } = await import(${JSON.stringify(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))});
  const { Module } = await import('@nestjs/common');
  class App {}
  Module({})(App);
  await runMain(async () => {
    await runService({ name: 'shop', module: App, port: 0, logger: createLogger({ name: 'shop' }) });
    console.log(JSON.stringify({ loaded: [...loaded].sort() }));
  });
`;

let child: ChildProcess | undefined;
let collector: Server;
let exports: string[];
let hangs: boolean;

beforeEach(async () => {
  exports = [];
  hangs = false;
  collector = createServer((request, response) => {
    void receive(request, response);
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  exports.push(await text(request));
  if (!hangs) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}

interface Service {
  readonly url: string;
  readonly loaded: readonly string[];
  readonly stop: () => Promise<unknown>;
}

async function start(env: Record<string, string>): Promise<Service> {
  const started = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const exited = once(started, 'close').then(([code]) => code as unknown);
  let url = '';
  for await (const line of createInterface({ input: started.stdout })) {
    const fields = JSON.parse(line) as { url?: string; loaded?: string[]; msg?: string };
    if (fields.msg?.startsWith('The shop service listens') === true) url = fields.url!;
    if (fields.loaded === undefined) continue;
    started.stdout.resume();
    return {
      url,
      loaded: fields.loaded,
      stop: async () => {
        started.kill('SIGTERM');
        return await exited;
      },
    };
  }
  throw new Error('the service ended before it listened');
}

function collectorEnv(): Record<string, string> {
  const { port } = collector.address() as AddressInfo;
  return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
}

it('a service without an endpoint loads nothing of OpenTelemetry but its API, and exports nothing', async () => {
  const service = await start({ OTEL_TRACES_SAMPLER: 'always_on' });
  expect(service.loaded).toEqual(['@opentelemetry/api']);
  await (await fetch(`${service.url}/anything`)).text();
  expect(await service.stop()).toBe(0);
  expect(exports).toEqual([]);
});

it('a service with an endpoint exports its last spans at a stop', async () => {
  const service = await start(collectorEnv());
  expect(service.loaded).toContain('@opentelemetry/sdk-trace');
  await (await fetch(`${service.url}/anything`)).text();
  expect(await service.stop()).toBe(0);
  expect(exports).toHaveLength(1);
  expect(exports[0]).toContain('"/anything"');
});

it('a collector that does not answer does not keep a service from a clean stop', async () => {
  hangs = true;
  const service = await start(collectorEnv());
  await (await fetch(`${service.url}/anything`)).text();
  expect(await service.stop()).toBe(0);
  expect(exports).toHaveLength(1);
});
