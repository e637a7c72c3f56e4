import { streamNames } from '../generator/load-phase.ts';
import type { LoadPoint } from '../generator/stream-tally.ts';
import type { SampledName } from '../measure/service-samples.ts';
import type { TimedValue } from '../measure/trend.ts';
import type { LoadReport } from '../run-load.ts';
import { drawLines, escapeHtml, type LineChart } from './line-chart.ts';
import { judgedRows, phaseRows } from './load-rows.ts';

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%;margin:1em 0}
td,th{border-bottom:1px solid #ddd;padding:.25em .5em;text-align:left;vertical-align:top}
figure{margin:1.5em 0}
figcaption{font-weight:600}
svg{width:100%;height:auto}
svg text{font-size:11px;fill:#444}
.missed{color:#b30000;font-weight:600}`;

/** The report of a load as one HTML file without other resources. */
export function loadPage(report: LoadReport): string {
  const { profile, at, passed, conditions, judged, phases } = report;
  const title = `Load profile ${profile}: ${passed ? 'passed' : 'failed'}`;
  const charts = chartsOf(report).flatMap((chart) => drawLines(chart) ?? []);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>${style}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(at)}. ${escapeHtml(
    Object.entries(conditions)
      .map(([name, value]) => `${name}: ${value}`)
      .join('; '),
  )}.</p>
<h2>Requirements</h2>
${table(['requirement', 'value', 'limit', ''], judgedRows(judged), (cells) => cells.at(-1) === 'missed')}
<h2>Phases</h2>
${table(['phase', 'stream', 'planned', 'accepted', 'shed', 'failed', 'dropped', 'p50 ms', 'p99 ms'], phaseRows(phases))}
<h2>Plots</h2>
${charts.join('\n')}
</body></html>
`;
}

function chartsOf({ phases, services }: LoadReport): LineChart[] {
  const marks = phases.map(({ beganSecond, phase }) => [beganSecond, phase.name] as const);
  const streams = streamNames.flatMap((stream): LineChart[] => {
    const points = phases.flatMap((result) => result.points[stream] ?? []);
    const line = (name: string, value: (point: LoadPoint) => number | undefined): LineChart['lines'][number] => ({
      name,
      values: points.flatMap((point): TimedValue[] => {
        const found = value(point);
        return found === undefined ? [] : [[point.second, found]];
      }),
    });
    return [
      {
        title: `${stream}: requests of each interval`,
        marks,
        lines: [
          line('due', ({ due }) => due),
          line('accepted', ({ accepted }) => accepted),
          line('shed', ({ shed }) => shed),
          line('failed', ({ failed }) => failed),
          line('dropped', ({ dropped }) => dropped),
        ],
      },
      { title: `${stream}: p99 in ms`, marks, lines: [line('p99', ({ p99Ms }) => p99Ms)] },
    ];
  });
  const sampled = (title: string, name: SampledName): LineChart => ({
    title,
    marks,
    lines: Object.entries(services).map(([service, series]) => ({ name: service, values: series[name] })),
  });
  return [
    ...streams,
    sampled('Lag of the sink in records', 'lagRecords'),
    sampled('Level of shedding', 'shedLevel'),
    sampled('Heap in MB', 'heapMb'),
    sampled('Resident memory in MB', 'rssMb'),
    sampled('Open files', 'openFiles'),
    sampled('CPU time in seconds', 'cpuSeconds'),
  ];
}

function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  isBad: (cells: readonly string[]) => boolean = () => false,
): string {
  return `<table><thead><tr>${cellsOf('th', heads)}</tr></thead><tbody>
${rows.map((row) => `<tr${isBad(row) ? ' class="missed"' : ''}>${cellsOf('td', row)}</tr>`).join('\n')}
</tbody></table>`;
}

function cellsOf(tag: 'td' | 'th', texts: readonly string[]): string {
  return texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('');
}
