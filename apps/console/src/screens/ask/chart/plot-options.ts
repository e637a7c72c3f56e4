import uPlot from 'uplot';
import type { ChartData } from './chart-data.ts';
import { placeText } from './chart-text.ts';
import { timeLabels } from './time-labels.ts';

/** Colours that the canvas needs as values. */
export interface PlotColours {
  readonly text: string;
  readonly line: string;
  /** One for each series. */
  readonly series: readonly string[];
}

/** Height of a chart in pixels. */
export const plotHeight = 320;
/** Dashes distinguish lines without their colours. */
const dashes: readonly number[][] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [1, 2]];
const labelCharactersMax = 16;
/** Width that the name of a bar needs, in pixels: names are turned. */
const labelWidth = 20;

/** The options of uPlot for a chart. */
export function plotOptions(
  data: ChartData,
  colours: PlotColours,
  width: number,
  onPoint: (index: number | undefined) => void,
): uPlot.Options {
  const { kind, positions, series } = data;
  const isBars = kind === 'category';
  const axis: uPlot.Axis = {
    stroke: colours.text,
    grid: { stroke: colours.line, width: 1 },
    ticks: { stroke: colours.line, width: 1 },
    font: '12px system-ui, sans-serif',
  };
  return {
    width,
    height: plotHeight,
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    cursor: { drag: { x: !isBars, y: false } },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
    scales: {
      x: isBars ? { time: false, range: [-0.6, positions.length - 0.4] } : { time: kind === 'time' },
      // The length of a bar is its value only from 0 on.
      ...(isBars ? { y: { range: (_plot: uPlot, least: number, most: number): uPlot.Range.MinMax => zeroRange(least, most) } } : {}),
    },
    axes: [
      isBars ? { ...axis, ...categoryAxis(data) } : kind === 'time' ? { ...axis, space: 90, values: timeLabels } : axis,
      { ...axis, size: 70 },
    ],
    series: [
      {},
      ...series.map(({ name }, n): uPlot.Series => {
        const colour = colours.series[n]!;
        if (isBars)
          return { label: name, stroke: colour, fill: colour, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.7, 64] }) };
        return { label: name, stroke: colour, width: 2, dash: [...dashes[n % dashes.length]!], points: { show: positions.length <= 60 } };
      }),
    ],
  };
}

/** The values as uPlot takes them. */
export function plotData({ positions, series }: ChartData): uPlot.AlignedData {
  return [[...positions], ...series.map(({ values }) => [...values])];
}

function zeroRange(least: number, most: number): uPlot.Range.MinMax {
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  const room = (high - low) * 0.05 || 1;
  return [low === 0 ? 0 : low - room, high === 0 ? 0 : high + room];
}

/** The names of the bars, as many as have room. */
function categoryAxis(data: ChartData): uPlot.Axis {
  const { positions } = data;
  return {
    rotate: 45,
    size: 110,
    gap: 4,
    grid: { show: false },
    splits: ({ width }) => {
      const step = Math.max(1, Math.ceil((positions.length * labelWidth) / width));
      return positions.filter((position) => position % step === 0);
    },
    values: (_plot, splits) => splits.map((position) => shortLabel(placeText(data, position))),
  };
}

function shortLabel(text: string): string {
  const characters = Array.from(text);
  return characters.length > labelCharactersMax ? `${characters.slice(0, labelCharactersMax - 1).join('')}…` : text;
}
