import type { TimedValue } from '../measure/trend.ts';

/** A line of a chart. */
export interface ChartLine {
  readonly name: string;
  readonly values: readonly TimedValue[];
}

/** A chart over time. */
export interface LineChart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** Moments with a vertical mark, in seconds, and their names. */
  readonly marks: readonly (readonly [second: number, name: string])[];
}

const size = { width: 760, height: 230, left: 62, right: 12, top: 26, bottom: 28 };
// Distinguishable with the usual kinds of colour blindness (Okabe and Ito).
const colours = ['#0072b2', '#009e73', '#e69f00', '#d55e00', '#cc79a7', '#56b4e9', '#000000'];
const pointsMax = 800;

/** Draws a chart as SVG that needs no other resource. Undefined when no line has a value. */
export function drawLines({ title, lines, marks }: LineChart): string | undefined {
  const drawn = lines.filter(({ values }) => values.length > 0);
  if (drawn.length === 0) return undefined;
  const all = drawn.flatMap(({ values }) => values);
  const [from, to] = [all.reduce((least, [x]) => Math.min(least, x), Infinity), all.reduce((most, [x]) => Math.max(most, x), -Infinity)];
  const top = ceilToTick(all.reduce((most, [, y]) => Math.max(most, y), 0));
  const { width, height, left, right, top: upper, bottom } = size;
  const xOf = (second: number): number => left + ((second - from) / Math.max(to - from, 1e-9)) * (width - left - right);
  const yOf = (value: number): number => height - bottom - (value / top) * (height - upper - bottom);
  const shares = [0, 0.25, 0.5, 0.75, 1];
  const grid = shares.map((share) => {
    const y = round(yOf(share * top));
    const label = `<text x="${left - 6}" y="${y + 4}" text-anchor="end">${numberText(share * top)}</text>`;
    return `<path d="M${left} ${y}H${width - right}" stroke="#ddd"/>${label}`;
  });
  const seconds = shares.map((share) => {
    const second = from + share * (to - from);
    return `<text x="${round(xOf(second))}" y="${height - 8}" text-anchor="middle">${Math.round(second)} s</text>`;
  });
  const visible = marks.filter(([second]) => second >= from && second <= to);
  const bars = visible.map(([second, name]) => {
    const path = `M${round(xOf(second))} ${upper}V${height - bottom}`;
    return `<path d="${path}" stroke="#999" stroke-dasharray="3 3"><title>${escapeHtml(name)}</title></path>`;
  });
  const paths = drawn.map(({ name, values }, n) => {
    const step = Math.ceil(values.length / pointsMax);
    const points = values.filter((_, index) => index % step === 0).map(([x, y]) => `${round(xOf(x))},${round(yOf(y))}`);
    const stroke = `fill="none" stroke="${colours[n % colours.length]}" stroke-width="1.5"`;
    return `<polyline ${stroke} points="${points.join(' ')}"><title>${escapeHtml(name)}</title></polyline>`;
  });
  const legend = drawn.map(
    ({ name }, n) => `<tspan fill="${colours[n % colours.length]}" dx="${n === 0 ? 0 : 12}">━ ${escapeHtml(name)}</tspan>`,
  );
  return [
    `<figure><figcaption>${escapeHtml(title)}</figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">`,
    ...grid,
    ...seconds,
    ...bars,
    ...paths,
    `<text x="${left}" y="14">${legend.join('')}</text></svg></figure>`,
  ].join('\n');
}

/** Escapes a text for HTML and its attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function ceilToTick(value: number): number {
  if (value <= 0) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((tick) => tick * magnitude).find((tick) => tick >= value)!;
}

function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
