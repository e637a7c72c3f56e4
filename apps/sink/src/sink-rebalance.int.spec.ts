import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expect-each-once.ts';
import { purchaseMessages } from './testing/purchase-message.ts';
import type { SinkProcess } from './testing/sink-process.ts';
import { TestTable } from './testing/test-table.ts';

let table: TestTable;
beforeEach(async () => {
  table = await TestTable.open({ partitions: 8 });
});
afterEach(async () => await table.close());

/** The longest time for which no sink took anything of a partition, while events came for all of them. */
class Stalls {
  readonly #takenTo = new Map<string, number>();
  readonly #movedAt = new Map<string, number>();
  longestMs = 0;

  async look(sinks: readonly SinkProcess[]): Promise<void> {
    const texts = await Promise.all(sinks.map(async (sink) => (sink.alive ? String((await sink.get('/metrics').catch(() => ({ body: '' }))).body) : '')));
    const now = Date.now();
    for (const [, partition, value] of texts.join('\n').matchAll(/millrace_sink_lane_offset\{partition="(\d+)",stage="taken"[^}]*\} (\d+)/g)) {
      if (Number(value) <= (this.#takenTo.get(partition!) ?? 0)) continue;
      const before = this.#movedAt.get(partition!);
      if (before !== undefined) this.longestMs = Math.max(this.longestMs, now - before);
      this.#takenTo.set(partition!, Number(value));
      this.#movedAt.set(partition!, now);
    }
  }
}

describe('a group that grows from one sink to three and shrinks to one', () => {
  it('loses nothing and doubles nothing, and every partition goes on', async () => {
    const sinks = [await table.sink()];
    let stopped = false;
    let produced = 0;
    const producing = (async () => {
      for (; !stopped; produced += 200) {
        await table.produce(purchaseMessages(produced, produced + 200));
        await delay(200);
      }
    })();
    const stalls = new Stalls();
    const watching = (async () => {
      while (!stopped) {
        await stalls.look(sinks);
        await delay(100);
      }
    })();
    const started = async (): Promise<void> => void (await expect.poll(() => new Set(sinks.flatMap(({ lines }) => lines.filter(({ type }) => type === 'LaneStarted').map(({ partition }) => partition))).size, { timeout: 60_000 }).toBe(8));
    await started();
    for (let grown = 0; grown < 2; grown += 1) {
      const sink = await table.sink();
      sinks.push(sink);
      await sink.line(({ type }) => type === 'LaneStarted');
      await delay(3000);
    }
    // One leaves in good order, one is killed.
    await sinks[2]!.end('SIGTERM');
    await delay(5000);
    await sinks[1]!.end('SIGKILL');
    await delay(8000);
    stopped = true;
    await Promise.all([producing, watching]);
    expectEachOnce(await table.landed(200_000), produced);
    // Reported, not asserted: how long a rebalance takes is the machine's affair.
    console.info(`1 → 3 → 1 sinks, ${produced} events: the longest a partition stood still was ${stalls.longestMs} ms`);
    expect(stalls.longestMs).toBeGreaterThan(0);
  }, 400_000);
});
