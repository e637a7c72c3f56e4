import { cpus } from 'node:os';
import { allocatedBytes, measure, ratioOf } from './resilience/measure.ts';
import { onFailure, onRejection, onSuccess } from './resilience/subjects.ts';

/** One measured number in the common format of all benchmarks. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: string;
  readonly met?: boolean;
}

const rounds = 11;

async function figuresOfSuccess(): Promise<Figure[]> {
  const set = onSuccess();
  const costs = await measure(set.subjects, { rounds, calls: 50_000 });
  const figures = set.subjects.map(({ name }) => ({
    name: `success: ${name}`,
    value: Math.round(costs.get(name)!.medianNs),
    unit: 'ns/call',
  }));
  const ratio = (subject: string, reference: string, max?: number): Figure => {
    const value = round(ratioOf(costs, subject, reference));
    return {
      name: `success: ${subject} / ${reference}`,
      value,
      unit: '×',
      ...(max === undefined ? {} : { target: `≤ ${round(max)}`, met: value <= max }),
    };
  };
  const ratios = [
    ratio('ours', 'cockatiel wrap', 1 / 3),
    ratio('ours, work reads its signal', 'cockatiel wrap', 1 / 3),
    ratio('ours with retry', 'cockatiel wrap with retry', 1 / 3),
    ratio('ours', 'opossum, no policy but the breaker', 1.6),
    ratio('ours, work reads its signal', 'opossum, no policy but the breaker', 1.6),
    ratio('ours', 'opossum, timeout and capacity'),
  ];
  const allocations: Figure[] = [];
  for (const subject of set.subjects)
    allocations.push({ name: `allocations: ${subject.name}`, value: Math.round(await allocatedBytes(subject)), unit: 'bytes/call' });
  set.close();
  return [...figures, ...ratios, ...allocations];
}

async function figuresOfRejection(): Promise<Figure[]> {
  const set = await onRejection();
  const costs = await measure(set.subjects, { rounds, calls: 20_000 });
  set.close();
  return set.subjects.map(({ name }) => ({ name: `open circuit: ${name}`, value: Math.round(costs.get(name)!.medianNs), unit: 'ns/call' }));
}

/** Opossum stores each failure as a further sample, so it gets few calls. The other subjects get enough calls for a measurement. */
async function figuresOfFailure(): Promise<Figure[]> {
  const figures: Figure[] = [];
  const ours: number[] = [];
  for (const [samples, opossumCalls] of [
    [100, 10],
    [10_000, 20],
    [100_000, 5],
  ] as const) {
    const set = await onFailure(samples);
    for (const subject of set.subjects) {
      const cost = await measure([subject], { rounds: 7, calls: subject.name === 'opossum' ? opossumCalls : 4000 });
      const ns = cost.get(subject.name)!.medianNs;
      if (subject.name === 'ours') ours.push(ns);
      figures.push({ name: `failure at ${samples} samples: ${subject.name}`, value: Math.round(ns), unit: 'ns/call' });
    }
    set.close();
  }
  const growth = round(ours[2]! / ours[0]!);
  return [...figures, { name: 'failure: ours at 100000 samples / at 100', value: growth, unit: '×', target: '≤ 1.5', met: growth <= 1.5 }];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const figures = [...(await figuresOfSuccess()), ...(await figuresOfRejection()), ...(await figuresOfFailure())];
const conditions = `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), processor time, median of ${rounds} interleaved rounds, ${new Date().toISOString().slice(0, 10)}`;
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ benchmark: 'resilience', conditions, figures })}\n`);
} else {
  process.stdout.write(`${conditions}\n\n`);
  for (const { name, value, unit, target, met } of figures) {
    process.stdout.write(
      `${name.padEnd(72)} ${String(value).padStart(10)} ${unit}${target === undefined ? '' : `  (${target}: ${met === true ? 'met' : 'missed'})`}\n`,
    );
  }
}
