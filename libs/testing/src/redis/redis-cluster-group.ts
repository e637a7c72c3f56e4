import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '../wait-until.ts';
import { redisPassword, RedisProcesses } from './redis-processes.ts';

/** Three masters of a Redis Cluster. */
export class RedisClusterGroup {
  readonly #processes: RedisProcesses;
  readonly #ports: readonly number[];

  private constructor(processes: RedisProcesses, ports: readonly number[]) {
    this.#processes = processes;
    this.#ports = ports;
  }

  /** Starts the nodes, and waits until all agree on the slots. */
  static async start(): Promise<RedisClusterGroup> {
    const processes = await RedisProcesses.open();
    try {
      const ports: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const settings = ['cluster-enabled yes', `cluster-config-file nodes-${n}.conf`, 'cluster-node-timeout 5000'];
        ports.push(await processes.start(settings));
      }
      const addresses = ports.map((port) => `127.0.0.1:${port}`);
      await processes.cli(ports[0]!, ['--cluster', 'create', ...addresses, '--cluster-yes']);
      const group = new RedisClusterGroup(processes, ports);
      await Promise.all(ports.map(async (port) => await group.#untilAgreed(port)));
      return group;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  /** The settings of a service that uses the cluster, named as in the environment. */
  get env(): Readonly<Record<string, string>> {
    return {
      REDIS_URL: `redis://:${redisPassword}@unused.invalid`,
      REDIS_CLUSTER_NODES: this.#ports.map((port) => `127.0.0.1:${port}`).join(','),
    };
  }

  /**
   * Moves the slot of a key to another node, a few keys at a time, as a resharding does.
   *
   * @returns the number of keys that moved
   */
  async moveSlotOf(key: string): Promise<number> {
    const slot = await this.#ask(this.#ports[0]!, ['CLUSTER', 'KEYSLOT', key]);
    const ids = await Promise.all(this.#ports.map(async (port) => await this.#ask(port, ['CLUSTER', 'MYID'])));
    const counts = await Promise.all(this.#ports.map(async (port) => Number(await this.#ask(port, ['CLUSTER', 'COUNTKEYSINSLOT', slot]))));
    const from = counts.findIndex((count) => count > 0);
    if (from < 0) throw new Error(`No node has a key of the slot of ${key}.`);
    const to = (from + 1) % this.#ports.length;
    const [source, target] = [this.#ports[from]!, this.#ports[to]!];
    await this.#ask(target, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!]);
    await this.#ask(source, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!]);
    let moved = 0;
    for (;;) {
      const keys = (await this.#ask(source, ['CLUSTER', 'GETKEYSINSLOT', slot, '50'])).split('\n').filter((one) => one !== '');
      if (keys.length === 0) break;
      await this.#ask(source, ['MIGRATE', '127.0.0.1', String(target), '', '0', '5000', 'AUTH', redisPassword, 'KEYS', ...keys]);
      moved += keys.length;
      await pause(20);
    }
    // The target first: a node that redirects to one that does not know its slot yet would be redirected back.
    for (const port of [target, source, ...this.#ports]) await this.#ask(port, ['CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!]);
    return moved;
  }

  async stop(): Promise<void> {
    await this.#processes.stop();
  }

  async #untilAgreed(port: number): Promise<void> {
    await waitUntil('the nodes to agree on the slots', async () => {
      const info = await this.#ask(port, ['CLUSTER', 'INFO']);
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  }

  async #ask(port: number, command: readonly string[]): Promise<string> {
    return await this.#processes.cli(port, command);
  }
}
