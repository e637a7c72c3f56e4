import type { RedriveAnswer, RedriveRequest } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { pathTo } from '../../app/paths.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { reasonCharactersMin, ReasonField } from '../../parts/reason-field.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { countText } from '../../parts/units.ts';

const columns = [{ heading: 'Place' }, { heading: 'Plan' }, { heading: 'Event' }, { heading: 'Where to, or why not' }];

type Line = RedriveAnswer['lines'][number];

const actions: Readonly<Record<Line['action'], readonly [tone: string, plan: string, done: string]>> = {
  produce: ['busy', 'produce', 'produced'],
  landed: ['good', 'is a row', 'is a row'],
  waiting: ['good', 'in the topic', 'in the topic'],
  refused: ['bad', 'refused', 'refused'],
};

export interface RedriveDialogProps {
  readonly stream: string;
  readonly rejects: RedriveRequest['rejects'];
  readonly onClose: () => void;
  /** Called after events were produced. */
  readonly onApplied: () => void;
}

/** Plans a redrive, and produces the events once the user has seen the plan and gives a reason. */
export function RedriveDialog({ stream, rejects, onClose, onApplied }: RedriveDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [answer, setAnswer] = useState<RedriveAnswer>();
  const [failure, setFailure] = useState<unknown>();
  const [isBusy, setBusy] = useState(true);
  const [reason, setReason] = useState('');
  const stop = useRef(new AbortController());
  const send = async (apply: boolean): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    const body: RedriveRequest = { stream, rejects, ...(apply ? { apply, reason: reason.trim() } : {}) };
    try {
      // Events that are being produced are not stopped half way when the user leaves.
      const until = apply ? {} : { signal: stop.current.signal };
      setAnswer(await sendForJson<RedriveAnswer>('/v1/rejects/redrive', { method: 'POST', body, ...until }));
      if (apply) onApplied();
    } catch (error) {
      if (!stop.current.signal.aborted) setFailure(error);
    }
    setBusy(false);
  };
  useEffect(() => {
    dialog.current?.showModal();
    void send(false);
    return () => stop.current.abort();
  }, []);
  return (
    <dialog ref={dialog} class="large" aria-label="Redrive" onClose={onClose}>
      <div class="screen">
        <h2>{answer?.applied === true ? 'The redrive has ended' : `Redrive of ${countText(rejects.length)} rejects`}</h2>
        {isBusy ? (
          <p role="status">
            {answer === undefined
              ? 'Checking the events against the contract, the table and the topic. Nothing is produced…'
              : 'Producing the events…'}
          </p>
        ) : null}
        <ProblemNote error={failure} />
        {answer === undefined ? null : <Plan answer={answer} />}
        {answer === undefined || answer.applied || answer.counts.produce === 0 ? (
          <div class="row">
            <button type="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
            {failure !== undefined && answer === undefined ? (
              <button type="button" disabled={isBusy} onClick={() => void send(false)}>
                Plan again
              </button>
            ) : null}
          </div>
        ) : (
          <form
            class="screen"
            onSubmit={(event) => {
              event.preventDefault();
              void send(true);
            }}
          >
            <ReasonField reason={reason} onReason={setReason} />
            <div class="row">
              <button type="submit" class="danger" disabled={isBusy || reason.trim().length < reasonCharactersMin}>
                Produce {countText(answer.counts.produce)} {answer.counts.produce === 1 ? 'event' : 'events'}
              </button>
              <button type="button" onClick={() => dialog.current?.close()}>
                Keep them
              </button>
            </div>
          </form>
        )}
      </div>
    </dialog>
  );
}

function Plan({ answer: { applied, topic, counts, lines } }: { readonly answer: RedriveAnswer }): JSX.Element {
  return (
    <>
      <dl class="facts" aria-label={applied ? 'Result of the redrive' : 'Plan of the redrive'}>
        <Count title={applied ? 'Produced' : 'Would be produced'} value={counts.produce} />
        <Count title="Rows already" value={counts.landed} />
        <Count title="In the topic already" value={counts.waiting} />
        <Count title="Refused" value={counts.refused} />
      </dl>
      <p class="muted small">
        {applied
          ? `The events are in the topic ${topic}. The sink lands them with its next batches.`
          : `Nothing has been produced yet. The topic is ${topic}.`}
      </p>
      <ScrollTable label="Events of the redrive" columns={columns}>
        {lines.map(({ partition, offset, action, eventId, reason, to }) => {
          const [tone, plan, done] = actions[action];
          return (
            <tr key={`${partition}/${offset}`}>
              <td>
                {partition} / {countText(offset)}
              </td>
              <td>
                <span class={`badge ${tone}`}>{applied ? done : plan}</span>
              </td>
              <td>
                {eventId === undefined ? (
                  '–'
                ) : to?.offset === undefined ? (
                  <code>{eventId}</code>
                ) : (
                  <a href={`${pathTo('event')}/${eventId}?partition=${to.partition}&offset=${to.offset}`}>
                    <code>{eventId}</code>
                  </a>
                )}
              </td>
              <td class="wide foreign">
                {to === undefined
                  ? (reason ?? '').slice(0, 2000)
                  : `partition ${to.partition}${to.offset === undefined ? '' : `, offset ${to.offset}`}`}
              </td>
            </tr>
          );
        })}
      </ScrollTable>
    </>
  );
}

function Count({ title, value }: { readonly title: string; readonly value: number }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{countText(value)}</dd>
    </div>
  );
}
