import type { ComparedValue, ExperimentView } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CloseRow } from '../../parts/close-row.tsx';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';

const columns = [
  { heading: 'Experiment' },
  { heading: 'Attacks' },
  { heading: 'Expected' },
  { heading: 'Last verdict' },
  { heading: 'Values' },
];
const valueColumns = [
  { heading: 'Phase' },
  { heading: 'Measure' },
  { heading: 'Control', isNumber: true },
  { heading: 'Experiment', isNumber: true },
  { heading: 'Limit' },
  { heading: 'Met' },
];

/** The catalogue of experiments with their last kept verdicts. */
export function Experiments({ experiments }: { readonly experiments: readonly ExperimentView[] }): JSX.Element {
  const [shown, setShown] = useState<ExperimentView>();
  return (
    <section class="card" aria-label="Experiments">
      <h2>Experiments</h2>
      <p class="muted small">
        <code>./millrace chaos run</code> runs one of them. The verdicts are those that are kept with the repository.
      </p>
      <ScrollTable label="Experiments and verdicts" columns={columns}>
        {experiments.map((experiment) => (
          <tr key={experiment.file}>
            <td class="wide">
              {experiment.title}
              <span class="muted small block">{experiment.hypothesis}</span>
            </td>
            <td>{experiment.attacks.map(({ attack, target, seconds }) => `${attack} on ${target} for ${seconds} s`).join(', ')}</td>
            <td>{experiment.expected}</td>
            <td>
              <Verdict experiment={experiment} />
            </td>
            <td>
              {experiment.result === undefined ? (
                '–'
              ) : (
                <button type="button" aria-label={`Show ${experiment.title}`} onClick={() => setShown(experiment)}>
                  Show
                </button>
              )}
            </td>
          </tr>
        ))}
      </ScrollTable>
      {shown === undefined ? null : <ResultDialog key={shown.file} experiment={shown} onClose={() => setShown(undefined)} />}
    </section>
  );
}

function Verdict({ experiment: { result, expected } }: { readonly experiment: ExperimentView }): JSX.Element {
  if (result === undefined) return <span class="badge">not run</span>;
  return <span class={`badge ${result.verdict === expected ? 'good' : 'bad'}`}>{result.verdict}</span>;
}

interface ResultDialogProps {
  readonly experiment: ExperimentView;
  readonly onClose: () => void;
}

/** Both groups of an experiment beside each other. */
function ResultDialog({ experiment: { title, hypothesis, result }, onClose }: ResultDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="large" aria-label={`Result of ${title}`} onClose={onClose}>
      <div class="screen">
        <h2>{title}</h2>
        <p>{hypothesis}</p>
        {result === undefined ? null : (
          <>
            <p>
              <strong>{result.verdict}</strong>: {result.reason} (<Moment at={result.at} />)
            </p>
            <ul class="muted small">
              {result.proofs.map((proof) => (
                <li key={proof} class="foreign">
                  {proof}
                </li>
              ))}
            </ul>
            <ScrollTable label="Control and experiment" columns={valueColumns}>
              {result.values.map((value) => (
                <ValueRow key={`${value.phase} ${value.probe}`} value={value} />
              ))}
            </ScrollTable>
          </>
        )}
        <CloseRow dialog={dialog} />
      </div>
    </dialog>
  );
}

function ValueRow({ value: { phase, probe, control, experiment, limit, met } }: { readonly value: ComparedValue }): JSX.Element {
  return (
    <tr>
      <td>{phase}</td>
      <td>{probe}</td>
      <td class="number">{numberText(control)}</td>
      <td class="number">{numberText(experiment)}</td>
      <td>{limit}</td>
      <td>
        <span class={`badge ${met ? 'good' : 'bad'}`}>{met ? 'met' : 'missed'}</span>
      </td>
    </tr>
  );
}

const number = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 });

function numberText(value: number | undefined): string {
  return value === undefined ? '–' : number.format(value);
}
