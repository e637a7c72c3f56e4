import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { planBrokers } from './brokers.ts';
import { readSettings } from './settings.ts';

let home: string;
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'millrace-brokers-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

function format(...brokers: readonly string[]): void {
  for (const broker of brokers) {
    mkdirSync(join(home, broker, 'data'), { recursive: true });
    writeFileSync(join(home, broker, 'data', 'meta.properties'), 'cluster.id=c\n');
  }
}

async function plan(brokers?: 1 | 3): Promise<unknown> {
  const never = new AbortController().signal;
  const settings = readSettings({ MILLRACE_HOME: home }, brokers);
  return await planBrokers({ settings, note: () => undefined, signal: never, hard: never }, {});
}

it('a home keeps its number of brokers', () => {
  expect(readSettings({ MILLRACE_HOME: home }).brokers).toBe(1);
  format('kafka', 'kafka-2', 'kafka-3');
  expect(readSettings({ MILLRACE_HOME: home }).brokers).toBe(3);
});

it('another number of brokers than the home has is refused, and nothing is fetched', async () => {
  format('kafka');
  await expect(plan(3)).rejects.toThrow(/has 1 broker, not 3\. Use another MILLRACE_HOME/);
  format('kafka-2', 'kafka-3');
  await expect(plan(1)).rejects.toThrow(/has 3 brokers, not 1\./);
});
