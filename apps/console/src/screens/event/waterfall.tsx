import type { EventWay } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { durationText } from '../../parts/units.ts';
import { stepsOf, type Step } from './steps.ts';

const tones: Readonly<Record<Step['state'], string>> = { done: 'good', waiting: 'busy', failed: 'bad', unknown: 'warn' };
const statusTones: Readonly<Record<EventWay['status'], string>> = {
  'on-disk': 'busy',
  'in-kafka': 'busy',
  landed: 'busy',
  queryable: 'good',
  duplicate: 'warn',
  rejected: 'bad',
  lost: 'bad',
  unknown: 'warn',
};
const words: Readonly<Record<Step['state'], string>> = { done: 'done', waiting: 'waiting', failed: 'failed', unknown: 'not known' };

/** The steps of an event, each with its place, its time and the time since the first one. */
export function Waterfall({ way }: { readonly way: EventWay }): JSX.Element {
  const steps = stepsOf(way);
  const times = steps.flatMap(({ at }) => (at === undefined ? [] : [Date.parse(at)]));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return (
    <section class="card" aria-label="Steps of the event">
      <h2>
        <code class="foreign">{way.eventId}</code> <span class={`badge ${statusTones[way.status]}`}>{way.status}</span>
      </h2>
      <ol class="waterfall">
        {steps.map((step) => (
          <li key={step.title}>
            <div class="row">
              <strong>{step.title}</strong>
              <span class={`badge ${tones[step.state]}`}>{words[step.state]}</span>
              {step.at === undefined ? null : (
                <span class="muted small">
                  <Moment at={step.at} />, {durationText(Math.max(0, Date.parse(step.at) - first))} after the first step
                </span>
              )}
            </div>
            <p class="small foreign">{step.detail}</p>
            {step.at === undefined ? null : (
              <meter
                class="bar"
                min={0}
                max={Math.max(1, last - first)}
                value={Math.max(0, Date.parse(step.at) - first)}
                aria-label={`Time of: ${step.title}`}
              />
            )}
          </li>
        ))}
      </ol>
      {way.row === undefined ? null : (
        <p class="note">
          This record is a duplicate. The row comes from partition {way.row.partition}, offset {way.row.offset}.
        </p>
      )}
      {way.duplicates === undefined || way.duplicates.length === 0 ? null : (
        <p class="note">
          The sink dropped other records of this event:{' '}
          {way.duplicates.map(({ partition, offset }) => `partition ${partition}, offset ${offset}`).join('; ')}.
        </p>
      )}
    </section>
  );
}
