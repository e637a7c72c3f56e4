import { parseArgs } from 'node:util';
import { wholeNumberOption } from '../whole-number-option.ts';

type Requests = Readonly<Record<string, number>>;

interface Report {
  readonly events: number;
  readonly steady: Requests;
  readonly steadyBatches: number;
  readonly moved: Requests;
  readonly rebalances: number;
  readonly lanesMoved: number;
  readonly entryBytes: number;
  readonly entries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly incomplete: number;
}

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '1000' },
    sinks: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    restarts: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const options = {
  partitions: wholeNumberOption('partitions', values.partitions, 1, 10_000),
  sinks: wholeNumberOption('sinks', values.sinks, 2, 1000),
  rounds: wholeNumberOption('rounds', values.rounds, 1, 1000),
  restarts: wholeNumberOption('restarts', values.restarts, 0, 1000),
};

// The fleet is made of the sink's own lanes and lies beside them.
const fleet = new URL('../../../apps/sink/dist/simulation/fleet.js', import.meta.url);
const { runFleet } = (await import(fleet.href)) as {
  runFleet: (given: typeof options, tell: (line: string) => void) => Promise<Report>;
};

const started = performance.now();
const report = await runFleet(options, (line) => process.stderr.write(`${line}\n`));
const seconds = (performance.now() - started) / 1000;
const { events, steady, steadyBatches, moved, rebalances, lanesMoved, entryBytes, entries, lost, doubled, incomplete } = report;
const per = (requests: Requests, count: number): string =>
  Object.entries(requests)
    .map(([kind, total]) => `${kind} ${(total / Math.max(1, count)).toFixed(2)}`)
    .join(', ');

if (values.json) process.stdout.write(`${JSON.stringify({ ...options, ...report, seconds })}\n`);
else
  process.stdout.write(
    [
      `${options.partitions} partitions, ${options.sinks} sinks, ${events} records, ${entries} batches, ${seconds.toFixed(0)} s.`,
      `Requests of a batch: ${per(steady, steadyBatches)}.`,
      `Requests of a lane that moved, with its first batch: ${per(moved, lanesMoved)}.`,
      `${rebalances} rebalances moved ${lanesMoved} lanes. An entry has ${Math.round(entryBytes / Math.max(1, entries))} bytes.`,
      `Lost ${lost}, doubled ${doubled}, partitions with an incomplete audit ${incomplete}.`,
      '',
    ].join('\n'),
  );
process.exitCode = lost + doubled + incomplete === 0 ? 0 : 1;
