/** One series of a metric: its line in `/metrics`, and its value. */
export interface MetricSeries {
  readonly text: string;
  readonly value: number;
}

/** The text of `/metrics` of a service. */
export async function readMetrics(url: string, timeoutMs: number): Promise<string> {
  return await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(timeoutMs) })).text();
}

/** The series of a metric in the text of `/metrics`. */
export function seriesOf(text: string, name: string): MetricSeries[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => ({ text: line, value: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
}

/** Sum of the series of a metric that have a label; undefined without such a series. */
export function metricSum(text: string, name: string, label = ''): number | undefined {
  const series = seriesOf(text, name).filter((one) => one.text.includes(label));
  return series.length === 0 ? undefined : series.reduce((sum, { value }) => sum + value, 0);
}
