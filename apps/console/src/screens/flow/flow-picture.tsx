import type { Flow, FlowProcess } from '@millrace/contracts';
import type { ComponentChildren, JSX } from 'preact';
import { Sparkline } from '../../parts/sparkline.tsx';
import { countText, durationText } from '../../parts/units.ts';
import { mostOf, processesOf, rateOf, sumOf } from './samples.ts';

/** The path of an event from left to right, with live numbers. */
export function FlowPicture({ readings }: { readonly readings: readonly Flow[] }): JSX.Element {
  const now = readings.at(-1)!;
  const rates = (name: string, labels: Readonly<Record<string, string>> = {}): (number | undefined)[] =>
    readings.map((reading, n) => rateOf(readings[n - 1], reading, name, labels));
  const accepted = rates('millrace_purchase_events_published_total');
  const landed = rates('millrace_sink_rows_landed_total');
  const finished = rates('millrace_query_finished_total');
  const most = (name: string): (number | undefined)[] => readings.map((reading) => mostOf(reading, name));
  const lag = readings.map((reading) => sumOf(reading, 'millrace_sink_lag_records', { stage: 'landed' }));
  return (
    <ol class="flow" aria-label="The path of an event">
      <Stage title="Purchase API" processes={processesOf(now, 'purchase')}>
        <Rate values={accepted} unit="events/s to Kafka" />
      </Stage>
      <Stage title="Kafka" state={kafkaState(now)}>
        <p>
          <strong>{numberText(lag.at(-1))}</strong> events wait for the table
        </p>
        <Sparkline values={lag} />
        <p class="muted small">{lagText(lag.at(-1), landed.at(-1))}</p>
      </Stage>
      <Stage title="Sink" processes={processesOf(now, 'sink')}>
        <Rate values={landed} unit="rows/s landed" />
        <p class="muted small">oldest waiting batch: {secondsText(mostOf(now, 'millrace_sink_spool_oldest_age_seconds'))}</p>
        <Sparkline values={most('millrace_sink_spool_oldest_age_seconds')} />
      </Stage>
      <Stage title="Iceberg table" processes={processesOf(now, 'projector')}>
        <p>
          <strong>{secondsText(mostOf(now, 'millrace_projector_lag_seconds'))}</strong> behind the landed files
        </p>
        <Sparkline values={most('millrace_projector_lag_seconds')} />
      </Stage>
      <Stage title="Queries" processes={[...processesOf(now, 'query-api'), ...processesOf(now, 'query-worker')]}>
        <Rate values={finished} unit="queries/s ended" />
        <p class="muted small">{numberText(sumOf(now, 'millrace_query_running_queries'))} running</p>
      </Stage>
    </ol>
  );
}

function Stage({
  title,
  processes = [],
  state = stateOf(processes),
  children,
}: {
  readonly title: string;
  readonly processes?: readonly FlowProcess[];
  readonly state?: readonly [tone: string, text: string];
  readonly children: ComponentChildren;
}): JSX.Element {
  const [tone, text] = state;
  return (
    <li class="stage">
      <h2>{title}</h2>
      <span class={`badge ${tone}`}>{text}</span>
      {children}
    </li>
  );
}

function Rate({ values, unit }: { readonly values: readonly (number | undefined)[]; readonly unit: string }): JSX.Element {
  const value = values.at(-1);
  return (
    <>
      <p>
        <strong>{value === undefined ? '–' : value >= 10 ? countText(Math.round(value)) : value.toFixed(1)}</strong> {unit}
      </p>
      <Sparkline values={values} />
    </>
  );
}

function stateOf(processes: readonly FlowProcess[]): readonly [string, string] {
  if (processes.length === 0) return ['', 'not configured'];
  const bad = processes.find(({ status }) => status === 'unreachable' || status === 'unavailable');
  const worse = bad ?? processes.find(({ status }) => status !== 'ready');
  if (worse === undefined) return ['good', processes.length === 1 ? 'ready' : `${processes.length} ready`];
  return [bad === undefined ? 'warn' : 'bad', worse.status];
}

function kafkaState(flow: Flow): readonly [string, string] {
  const up = sumOf(flow, 'millrace_purchase_kafka_up');
  if (up === undefined) return ['', 'not known'];
  return up > 0 ? ['good', 'up'] : ['bad', 'down'];
}

function numberText(value: number | undefined): string {
  return value === undefined ? '–' : countText(value);
}

function secondsText(seconds: number | undefined): string {
  return seconds === undefined ? '–' : durationText(seconds * 1000);
}

function lagText(lag: number | undefined, landed: number | undefined): string {
  if (lag === undefined) return 'the sink does not say';
  if (lag === 0) return 'every event has landed';
  return landed === undefined || landed === 0 ? 'nothing lands at the moment' : `about ${durationText((lag / landed) * 1000)} at this rate`;
}
