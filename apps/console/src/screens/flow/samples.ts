import type { Flow, FlowProcess } from '@millrace/contracts';

/** The sum of a metric over all processes and labels; undefined when no process has it. */
export function sumOf(flow: Flow, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const values = valuesOf(flow.processes, name, labels);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** The largest value of a metric; undefined when no process has it. */
export function mostOf(flow: Flow, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const values = valuesOf(flow.processes, name, labels);
  return values.length === 0 ? undefined : Math.max(...values);
}

/**
 * Growth of a counter by the second between two readings; undefined when it is not known. A restart of a process sets its counters to zero:
 * then the growth is not known for one reading.
 */
export function rateOf(
  before: Flow | undefined,
  now: Flow,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const [from, to] = [before === undefined ? undefined : sumOf(before, name, labels), sumOf(now, name, labels)];
  if (before === undefined || from === undefined || to === undefined || to < from) return undefined;
  const seconds = (Date.parse(now.at) - Date.parse(before.at)) / 1000;
  return seconds > 0 ? (to - from) / seconds : undefined;
}

/** The processes of a service: `sink`, and further ones such as `sink-2`. */
export function processesOf(flow: Flow, service: string): readonly FlowProcess[] {
  return flow.processes.filter(({ name }) => name === service || new RegExp(`^${service}-\\d+$`).test(name));
}

function valuesOf(processes: readonly FlowProcess[], name: string, labels: Readonly<Record<string, string>>): number[] {
  const wanted = Object.entries(labels);
  return processes.flatMap(({ samples }) =>
    samples
      .filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
      .map(({ value }) => value),
  );
}
