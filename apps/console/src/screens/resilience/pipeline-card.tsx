import type { FlowPipeline } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Sparkline } from '../../parts/sparkline.tsx';
import { countText } from '../../parts/units.ts';

export interface PipelineCardProps {
  readonly pipeline: FlowPipeline;
  /** Calls by the second, the newest last. */
  readonly rates: readonly (number | undefined)[];
  readonly onChange: () => void;
}

/** One pipeline: the circle and the curve that users of Hystrix know, and its numbers. */
export function PipelineCard({ pipeline, rates, onChange }: PipelineCardProps): JSX.Element {
  const { name, dependency, circuit, inFlight, concurrencyMax, queued, retryBudget, failed, retries, rejected, shed, calls } = pipeline;
  const rate = rates.at(-1);
  const [tone, text] = stateOf(circuit);
  const radius = Math.min(16, 4 + Math.log2(1 + (rate ?? 0)) * 2.5);
  return (
    <li class="card">
      <div class="row">
        <svg class={`circle ${tone}`} viewBox="0 0 36 36" aria-hidden="true">
          <circle cx="18" cy="18" r={radius} />
        </svg>
        <h3>{name}</h3>
        <span class={`badge ${tone}`}>{text}</span>
      </div>
      <Sparkline values={rates} />
      <dl class="numbers small">
        <Number title="Calls to" value={dependency} />
        <Number title="Calls/s" value={rate === undefined ? '–' : rate.toFixed(1)} />
        {circuit === undefined ? null : (
          <Number title="Failures in the window" value={`${countText(circuit.failures)} of ${countText(circuit.calls)}`} />
        )}
        <Number
          title="In flight"
          value={concurrencyMax === undefined ? countText(inFlight) : `${countText(inFlight)} of ${countText(concurrencyMax)}`}
        />
        {queued === undefined ? null : <Number title="Wait for a permit" value={countText(queued)} />}
        {retryBudget === undefined ? null : <Number title="Retries left" value={countText(Math.floor(retryBudget))} />}
        <Number title="Failed, of all calls" value={`${countText(failed)} of ${countText(calls)}`} />
        <Number title="Retries" value={countText(retries)} />
        <Number title="Not sent" value={countText(rejected)} />
        <Number title="Shed" value={countText(shed)} />
      </dl>
      {circuit === undefined ? null : (
        <button type="button" onClick={onChange} aria-label={`Change the circuit of ${name}`}>
          Change the circuit
        </button>
      )}
    </li>
  );
}

function Number({ title, value }: { readonly title: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function stateOf(circuit: FlowPipeline['circuit']): readonly [tone: string, text: string] {
  if (circuit === undefined) return ['', 'no circuit'];
  if (circuit.mode === 'disabled') return ['', 'disabled'];
  if (circuit.mode === 'forced-open') return ['bad', 'forced open'];
  if (circuit.mode === 'forced-closed') return ['warn', 'forced closed'];
  return [circuit.state === 'closed' ? 'good' : circuit.state === 'open' ? 'bad' : 'warn', circuit.state];
}
