import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { purchaseMessage } from './testing/purchases/purchase-message.ts';
import { TestTable } from './testing/process/test-table.ts';

const partitions = 8;
const days = 25;
const events = 100_000;

let table: TestTable;
beforeEach(async () => {
  table = await TestTable.open({ partitions });
});
afterEach(async () => await table.close());

/** Peak resident memory of a process in megabytes; undefined once the process has ended. */
function peakMbOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

describe('the memory of the sink', () => {
  it('the sink stays below 512 MB with 200 open segments, and while they are sealed, encoded and landed', async () => {
    const sink = await table.sink({ SINK_FLUSH_SECONDS: '600', SINK_SHUTDOWN_SECONDS: '300' });
    const { pid } = sink.child;
    for (let start = 0; start < events; start += 10_000) {
      await table.produce(
        Array.from({ length: 10_000 }, (_, n) =>
          purchaseMessage(start + n, { purchaseTimestamp: 1_575_121_641 + ((start + n) % days) * 86_400 }),
        ),
      );
    }
    await expect
      .poll(async () => await sink.metric('millrace_sink_records_total', { result: 'row' }), { timeout: 90_000, interval: 200 })
      .toBe(events);
    expect(await sink.metric('millrace_sink_open_segments')).toBe(partitions * days);
    const openMb = peakMbOf(pid!)!;

    let peakMb = openMb;
    let ended = false;
    const ending = sink.end('SIGTERM').finally(() => (ended = true));
    const isRunning = (): boolean => !ended;
    while (isRunning()) {
      peakMb = peakMbOf(pid!) ?? peakMb;
      await delay(20);
    }
    await ending;
    console.info(
      `${partitions * days} open segments of ${events} events: ${Math.round(openMb)} MB at most while they were open, ${Math.round(peakMb)} MB in the end`,
    );
    expectEachOnce(await table.rows(), events);
    expect(peakMb).toBeLessThan(512);
  }, 240_000);
});
