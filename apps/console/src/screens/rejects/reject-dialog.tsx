import type { RedriveRequest, RejectDetail } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { CloseRow } from '../../parts/close-row.tsx';
import { shortText } from '../../parts/grid/cells.ts';
import { Moment } from '../../parts/moment.tsx';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { bytesText } from '../../parts/units.ts';
import { fieldsOf } from './reject-fields.ts';

type Correction = RedriveRequest['rejects'][number];

/** Characters of a value that is no JSON object that are shown. */
const shownCharactersMax = 20_000;

export interface RejectDialogProps {
  readonly stream: string;
  readonly partition: number;
  readonly offset: number;
  readonly onClose: () => void;
  /** Called with the corrected event. */
  readonly onCorrected: (correction: Correction) => void;
}

/** One rejected record with the failing fields marked, and a form for its correction. */
export function RejectDialog({ stream, partition, offset, onClose, onCorrected }: RejectDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const path = `/v1/rejects/${partition}/${offset}?stream=${encodeURIComponent(stream)}`;
  const { data, error } = usePolled(async (signal) => await sendForJson<RejectDetail>(path, { signal }), undefined, path);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="large" aria-label={`Reject of partition ${partition}, offset ${offset}`} onClose={onClose}>
      <div class="screen">
        <h2>
          Partition {partition}, offset {offset}
        </h2>
        <ProblemNote error={error} />
        {data === undefined && error === undefined ? <p role="status">Reading the reject file…</p> : null}
        {data === undefined ? null : (
          <>
            <Record reject={data} />
            <CorrectionForm reject={data} onCorrected={onCorrected} />
          </>
        )}
        <CloseRow dialog={dialog} />
      </div>
    </dialog>
  );
}

function Record({ reject }: { readonly reject: RejectDetail }): JSX.Element {
  const { reason, at, bytes, key, event, text, base64, violations } = reject;
  const fields = fieldsOf(reject);
  return (
    <>
      <p class="note bad">
        <strong class="foreign">{reason.slice(0, 2000)}</strong>
      </p>
      <p class="muted small">
        Kafka took it on <Moment at={at} />. {bytesText(bytes)}, key {key === null ? 'null' : <code class="foreign">{shortText(key)}</code>}
        .
      </p>
      {fields.length === 0 ? null : (
        <dl class="fields" aria-label="Fields of the event">
          {fields.map(({ name, value, problems }) => (
            <div key={name} class={problems.length > 0 ? 'failing' : ''}>
              <dt class="foreign">{shortText(name)}</dt>
              <dd>
                {value === undefined ? <span class="muted">missing</span> : <code class="foreign">{shortText(value)}</code>}
                {problems.map((problem) => (
                  <span key={problem} class="small foreign">
                    {problem}
                  </span>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {event !== null && violations.length === 0 ? (
        <p class="note">The event follows the contract of today. A redrive can produce it as it is.</p>
      ) : null}
      {event === null ? (
        <pre tabIndex={0} aria-label="Value of the record">
          {(text ?? (base64 === undefined ? 'null' : `base64: ${base64}`)).slice(0, shownCharactersMax)}
        </pre>
      ) : null}
    </>
  );
}

function CorrectionForm({
  reject,
  onCorrected,
}: {
  readonly reject: RejectDetail;
  readonly onCorrected: (correction: Correction) => void;
}): JSX.Element {
  const { partition, offset, event, eventId } = reject;
  const [text, setText] = useState(() => JSON.stringify(event ?? { eventId }, null, 2));
  const [problem, setProblem] = useState('');
  const submit = (submitted: Event): void => {
    submitted.preventDefault();
    const parsed = objectIn(text);
    if (typeof parsed === 'string') return setProblem(parsed);
    onCorrected({ partition, offset, event: parsed });
  };
  return (
    <form class="screen" onSubmit={submit}>
      <div class="field">
        <label for="correction">Corrected event as JSON. Keep its eventId</label>
        <textarea
          id="correction"
          class="code"
          rows={12}
          spellcheck={false}
          value={text}
          aria-invalid={problem !== ''}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setProblem('');
          }}
        />
      </div>
      {problem === '' ? null : (
        <p class="note bad" role="alert">
          {problem}
        </p>
      )}
      <div class="row">
        <button type="submit" class="primary">
          Plan the redrive
        </button>
        <span class="muted small">Nothing is produced before you have seen the plan.</span>
      </div>
    </form>
  );
}

/** Parses the JSON object in a text, or returns the reason why the text holds none. */
function objectIn(text: string): Readonly<Record<string, unknown>> | string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : 'The correction must be a JSON object.';
  } catch (error) {
    return `The correction is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}
