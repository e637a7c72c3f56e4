import { waitUntil } from '../wait-until.ts';
import { redisPassword, RedisProcesses } from './redis-processes.ts';

const masterName = 'orders';
const sentinelPassword = 'other-horse';
/** Sentinels that must agree that the master is down. */
const quorum = 2;

/** A master, its replica and three sentinels, which have a password of their own. */
export class RedisSentinelGroup {
  readonly #processes: RedisProcesses;
  readonly #sentinels: readonly number[];

  private constructor(processes: RedisProcesses, sentinels: readonly number[]) {
    this.#processes = processes;
    this.#sentinels = sentinels;
  }

  /** Starts all, and waits until the sentinels could fail over. */
  static async start(): Promise<RedisSentinelGroup> {
    const processes = await RedisProcesses.open();
    try {
      const master = await processes.start();
      await processes.start([`replicaof 127.0.0.1 ${master}`]);
      const sentinels: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        sentinels.push(
          await processes.startSentinel(
            [
              `sentinel monitor ${masterName} 127.0.0.1 ${master} ${quorum}`,
              `sentinel auth-pass ${masterName} ${redisPassword}`,
              `sentinel down-after-milliseconds ${masterName} 1000`,
              `sentinel failover-timeout ${masterName} 6000`,
            ],
            sentinelPassword,
          ),
        );
      }
      const group = new RedisSentinelGroup(processes, sentinels);
      await waitUntil('the replica to be in step', async () => /state=online/.test(await processes.cli(master, ['INFO', 'replication'])));
      await Promise.all(sentinels.map(async (port) => await group.#untilReady(port)));
      return group;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  /** The settings of a service that uses the group, named as in the environment. */
  get env(): Readonly<Record<string, string>> {
    return {
      REDIS_URL: `redis://:${redisPassword}@unused.invalid`,
      REDIS_SENTINELS: this.#sentinels.map((port) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_NAME: masterName,
      REDIS_SENTINEL_PASSWORD: sentinelPassword,
    };
  }

  /** Port of the master, as the sentinels say. */
  async master(): Promise<number> {
    const answer = await this.#ask(this.#sentinels[0]!, ['SENTINEL', 'get-master-addr-by-name', masterName]);
    return Number(answer.split('\n')[1]);
  }

  /** Kills the master, and waits until the sentinels name another one. */
  async failOver(): Promise<void> {
    const before = await this.master();
    await this.#processes.kill(before);
    await waitUntil('another master', async () => (await this.master()) !== before, { timeoutMs: 30_000 });
  }

  async stop(): Promise<void> {
    await this.#processes.stop();
  }

  async #untilReady(port: number): Promise<void> {
    await waitUntil('the sentinels to know each other and the replica', async () => {
      const facts = (await this.#ask(port, ['SENTINEL', 'master', masterName])).split('\n');
      const valueOf = (name: string): string | undefined => facts[facts.indexOf(name) + 1];
      return valueOf('num-other-sentinels') === '2' && valueOf('num-slaves') === '1';
    });
  }

  async #ask(port: number, command: readonly string[]): Promise<string> {
    return await this.#processes.cli(port, command, sentinelPassword);
  }
}
