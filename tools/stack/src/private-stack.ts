import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Interrupts } from './build.ts';
import { unlessInterrupted } from './interruption.mjs';
import { setUpLake } from './lake-setup.ts';
import { partNames, portSettings, root, type Env, type ServiceName } from './places.mjs';
import type { Screen } from './screen.mjs';
import { readSettings, serviceEnv } from './settings.ts';
import { Stack } from './stack.ts';

const portKeys = [...Object.values(portSettings).flatMap((settings) => Object.keys(settings)), 'KAFKA_ADVERTISED_PORT'];

/**
 * Runs a function on a private stack with free ports, beside any running stack. The tests and the long proofs use it. Its state is under
 * `.millrace/<name>` and is deleted first. The stack is stopped in any case, after an interruption too.
 */
export async function onPrivateStack<T>(
  name: string,
  services: readonly ServiceName[],
  screen: Screen,
  interrupts: Interrupts,
  use: (env: Record<string, string>, stack: Stack) => Promise<T>,
): Promise<T> {
  const env = await privateEnv(name);
  const settings = readSettings(env);
  // A run that was killed may have left processes, which would be lost with their pid files.
  const stack = new Stack(settings, env, interrupts);
  await stack.stopAll(() => undefined);
  rmSync(settings.home, { recursive: true, force: true });
  try {
    await screen.step(`Start a stack for ${name}`, async (note) => {
      for (const part of partNames) {
        note(part);
        await stack.startPart(part);
      }
      await unlessInterrupted(setUpLake(settings, env), interrupts.signal);
      for (const service of services) {
        note(service);
        await stack.startService(service);
      }
      note(`${partNames.length} parts, ${services.length} services`);
    });
    return await use(urlsOf(stack, env), stack);
  } finally {
    await screen.step('Stop the stack', async () => await stack.stopAll(() => undefined));
  }
}

/**
 * Addresses of the parts and services of a stack, for a process that works with them: a test, a benchmark, a proof, an operator's command.
 */
export function urlsOf(stack: Stack, env: Env): Record<string, string> {
  const { ports } = stack.settings;
  return {
    ...serviceEnv(stack.settings, { ...env, ...stack.env() }),
    KAFKA_PROXIED_BROKERS: `127.0.0.1:${ports.kafkaProxied}`,
    KAFKA_PROXIED_PORT: String(ports.kafkaProxied),
    KAFKA_ADVERTISED_PORT: String(ports.kafkaAdvertised),
    PURCHASE_URL: `http://127.0.0.1:${ports.purchase}`,
    SINK_URL: `http://127.0.0.1:${ports.sink}`,
    QUERY_URL: `http://127.0.0.1:${ports.query}`,
    QUERY_WORKER_URL: `http://127.0.0.1:${ports.queryWorker}`,
  };
}

// Removes variables of the caller's environment that point to the parts of another stack.
async function privateEnv(name: string): Promise<Env> {
  const own = /^(KAFKA|REDIS|AWS|TRINO|PURCHASE|SINK|QUERY|PROJECTOR|LAKE)_/;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !own.test(key)));
  return { ...inherited, MILLRACE_HOME: join(root, '.millrace', name), SINK_FLUSH_SECONDS: '2', ...(await ownPorts()) };
}

/** Settings that move a stack to ports that nothing listens on now. */
export async function ownPorts(): Promise<Record<string, string>> {
  const ports = await freePorts(portKeys.length);
  return Object.fromEntries(portKeys.map((key, n) => [key, String(ports[n])]));
}

/** Ports that nothing listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map(async (server) => await new Promise((resolve) => server.close(resolve))));
  return ports;
}
