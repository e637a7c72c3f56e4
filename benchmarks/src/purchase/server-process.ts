import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { spawnService } from '@millrace/testing';
import { processCost } from '../process/process-cost.ts';

/** A server under load, in its own process. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Ends it and waits. */
  stop(): Promise<void>;
}

/**
 * Starts the bare server.
 *
 * @param topic topic that it writes to; undefined for a server without Kafka
 * @throws Error when the process ends before it listens
 */
export async function startBareFastify(topic: string | undefined): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('bare-fastify.js', import.meta.url)), {
    env: { ...process.env, ...(topic === undefined ? {} : { BARE_TOPIC: topic }) },
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(message as string));
    child.once('exit', (code) => reject(new Error(`The bare server ended with ${code} before it listened.`)));
  });
  return {
    url,
    pid: child.pid!,
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}

/** Starts the built purchase API. Its settings are the defaults, apart from `env`. */
export async function startOurs(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const service = await spawnService('purchase', env);
  return { url: service.url, pid: service.pid, stop: async () => void (await service.kill('SIGTERM')) };
}

/** CPU seconds that a process has used, user and system; undefined where the system does not report it. */
export async function cpuSecondsOf(pid: number): Promise<number | undefined> {
  return (await processCost(pid).catch(() => undefined))?.cpuSeconds;
}
