import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setUpLake } from './lake-setup.ts';
import type { Screen } from './screen.ts';
import { partNames, readSettings, root, serviceEnv, type Env, type ServiceName } from './settings.ts';
import { Stack } from './stack.ts';

const portKeys = ['KAFKA_PORT', 'KAFKA_CONTROLLER_PORT', 'KAFKA_PROXIED_PORT', 'KAFKA_ADVERTISED_PORT', 'REDIS_PORT', 'AWS_EMULATOR_PORT', 'PURCHASE_PORT', 'SINK_PORT', 'QUERY_PORT', 'QUERY_WORKER_PORT'] as const;

/**
 * Runs something on a stack of its own, on free ports, beside whatever is up: for the tests and the long proofs. Its state is under
 * `.millrace/<name>`, thrown away before. It is stopped whatever happens.
 */
export async function onPrivateStack<T>(name: string, services: readonly ServiceName[], screen: Screen, use: (env: Record<string, string>) => Promise<T>): Promise<T> {
  const env = await privateEnv(name);
  const settings = readSettings(env);
  rmSync(settings.home, { recursive: true, force: true });
  const stack = new Stack(settings, env);
  const stop = async (): Promise<void> => await stack.stopAll(() => undefined);
  const onSignal = (): void => void stop().then(() => process.exit(1));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await screen.step(`Start a stack for ${name}`, async (note) => {
      for (const part of partNames) {
        note(part);
        await stack.startPart(part);
      }
      await setUpLake(settings, env);
      for (const service of services) {
        note(service);
        await stack.startService(service);
      }
      note(`${partNames.length} parts, ${services.length} services`);
    });
    return await use(urlsOf(stack, env));
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await screen.step('Stop the stack', stop);
  }
}

/** Where the parts and services of a stack are, for a process that works with them: a test, a benchmark, a proof, an operator's command. */
export function urlsOf(stack: Stack, env: Env): Record<string, string> {
  const { ports } = stack.settings;
  return {
    ...serviceEnv(stack.settings, env),
    KAFKA_PROXIED_BROKERS: `127.0.0.1:${ports.kafkaProxied}`,
    KAFKA_PROXIED_PORT: String(ports.kafkaProxied),
    KAFKA_ADVERTISED_PORT: String(ports.kafkaAdvertised),
    PURCHASE_URL: `http://127.0.0.1:${ports.purchase}`,
    SINK_URL: `http://127.0.0.1:${ports.sink}`,
    QUERY_URL: `http://127.0.0.1:${ports.query}`,
    QUERY_WORKER_URL: `http://127.0.0.1:${ports.queryWorker}`,
  };
}

// Nothing of the caller's environment that would point at parts which are not this stack's.
async function privateEnv(name: string): Promise<Env> {
  const ports = await freePorts(portKeys.length);
  const own = /^(KAFKA|REDIS|AWS|PURCHASE|SINK|QUERY|LAKE)_/;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !own.test(key)));
  return { ...inherited, MILLRACE_HOME: join(root, '.millrace', name), SINK_FLUSH_SECONDS: '2', ...Object.fromEntries(portKeys.map((key, n) => [key, String(ports[n])])) };
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
