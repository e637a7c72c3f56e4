import type { CircuitChange, FlowPipeline } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { keysOf } from '../../parts/names.ts';
import { reasonCharactersMin, ReasonField } from '../../parts/reason-field.tsx';

/** The circuit that the user wants to change. */
export interface ChosenCircuit {
  readonly process: string;
  readonly pipeline: FlowPipeline;
}

export interface CircuitDialogProps {
  readonly chosen: ChosenCircuit;
  readonly onClose: () => void;
  readonly onChange: (change: CircuitChange) => void;
}

const effects: Readonly<Record<CircuitChange['mode'], string>> = {
  auto: 'Automatic: the results of the calls decide',
  'forced-open': 'Force open: no call is sent',
  'forced-closed': 'Force closed: every call is sent, whatever fails',
  disabled: 'Disable: the circuit counts nothing',
};

/** Asks for the new mode of a circuit, and for the reason that the audit log keeps. */
export function CircuitDialog({ chosen: { process, pipeline }, onClose, onChange }: CircuitDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [mode, setMode] = useState<CircuitChange['mode']>(pipeline.circuit?.mode ?? 'auto');
  const [reason, setReason] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    onChange({ mode, reason: reason.trim() });
  };
  return (
    <dialog ref={dialog} aria-label={`Circuit ${pipeline.name} of ${process}`} onClose={onClose}>
      <form class="screen" onSubmit={submit}>
        <h2>
          Circuit {pipeline.name} of {process}
        </h2>
        <div class="field">
          <label for="mode">Mode</label>
          <select
            id="mode"
            value={mode}
            onChange={({ currentTarget }) => setMode(keysOf(effects).find((one) => one === currentTarget.value)!)}
          >
            {keysOf(effects).map((name) => (
              <option key={name} value={name}>
                {effects[name]}
              </option>
            ))}
          </select>
        </div>
        <ReasonField reason={reason} onReason={setReason} />
        <p class="muted small">The change lasts until the process restarts.</p>
        <div class="row">
          <button type="submit" class="danger" disabled={reason.trim().length < reasonCharactersMin}>
            Change
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
        </div>
      </form>
    </dialog>
  );
}
