import type { JSX } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../../../app/theme.ts';
import type { ChartData } from './chart-data.ts';
import { chartText, placeText, valueText } from './chart-text.ts';
import { plotData, plotHeight, plotOptions, type PlotColours } from './plot-options.ts';

/** A chart on a canvas, with its legend and its text. The library of the canvas is loaded with this module. */
export function Plot({ data }: { readonly data: ChartData }): JSX.Element {
  const figure = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const [point, setPoint] = useState<number>();
  const themeTurn = useThemeTurn();
  useEffect(() => {
    const host = canvas.current!;
    const options = plotOptions(data, coloursOf(figure.current!, host), host.clientWidth, setPoint);
    const plot = new uPlot(options, plotData(data), host);
    const observer = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: plotHeight }));
    observer.observe(host);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, themeTurn]);
  return (
    <figure class="chart" ref={figure}>
      <div ref={canvas} class="plot" role="img" aria-label={chartText(data)} />
      <ul class="legend row small" aria-label="Legend">
        {data.series.map(({ name, values }, n) => (
          <li key={n} class="row">
            <span class={`swatch series-${n + 1}`} aria-hidden="true" />
            <bdi class="foreign">{name}</bdi>
            {point === undefined ? null : <strong>{valueText(values[point])}</strong>}
          </li>
        ))}
        <li class="muted foreign">{point === undefined ? '' : placeText(data, point)}</li>
      </ul>
      <figcaption class="muted small foreign">
        {chartText(data)}
        {data.kind === 'time' ? ' Times are in UTC.' : ''}
      </figcaption>
    </figure>
  );
}

/** The colours of the tokens: a canvas knows no custom properties. */
function coloursOf(figure: HTMLElement, host: HTMLElement): PlotColours {
  const { color, borderTopColor } = getComputedStyle(host);
  const swatches = figure.querySelectorAll('.swatch');
  return { text: color, line: borderTopColor, series: Array.from(swatches, (swatch) => getComputedStyle(swatch).backgroundColor) };
}

/** Changes with the theme, whether the user or the device changes it. */
function useThemeTurn(): string {
  const [turn, next] = useReducer((before: number, _event: 'changed') => before + 1, 0);
  useEffect(() => {
    const device = matchMedia('(prefers-color-scheme: dark)');
    const onChange = (): void => next('changed');
    device.addEventListener('change', onChange);
    return () => device.removeEventListener('change', onChange);
  }, []);
  return `${theme.value} ${turn}`;
}
