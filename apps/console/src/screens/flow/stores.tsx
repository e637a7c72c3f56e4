import type { Flow } from '@millrace/contracts';
import type { JSX } from 'preact';
import { bytesText, durationText } from '../../parts/units.ts';
import { shareOf } from './problems.ts';
import { mostOf, sumOf } from './samples.ts';

const stores = [
  [
    'Outbox of the purchase API',
    'millrace_purchase_outbox_bytes',
    'millrace_purchase_outbox_bytes_max',
    'millrace_purchase_outbox_full_seconds',
  ],
  ['Spool of the sink', 'millrace_sink_spool_bytes', 'millrace_sink_spool_bytes_max', 'millrace_sink_spool_full_in_seconds'],
] as const;

/** How full the stores on disk are, and when they will be full. */
export function Stores({ flow }: { readonly flow: Flow }): JSX.Element {
  return (
    <dl class="facts">
      {stores.map(([title, used, limit, full]) => {
        const share = shareOf(flow, used, limit);
        const seconds = mostOf(flow, full);
        return (
          <div key={title}>
            <dt>{title}</dt>
            <dd class="small">
              {share === undefined ? 'not known' : `${bytesText(sumOf(flow, used) ?? 0)} of ${bytesText(sumOf(flow, limit) ?? 0)}`}
              {share === undefined ? null : <meter class="bar" min={0} max={1} value={share} aria-label={`Fill of: ${title}`} />}
              <span class="muted small">
                {seconds === undefined ? 'not filling' : `full in ${durationText(seconds * 1000)} at this rate`}
              </span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
