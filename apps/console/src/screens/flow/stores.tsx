import type { Flow } from '@millrace/contracts';
import type { JSX } from 'preact';
import { bytesText, durationText } from '../../parts/units.ts';
import { fillOf, outbox, spool } from './disk-stores.ts';

/** How full the stores on disk are, and when they will be full. */
export function Stores({ flow }: { readonly flow: Flow }): JSX.Element {
  return (
    <dl class="facts">
      {[outbox, spool].map((store) => {
        const { bytes = 0, bytesMax = 0, share, fullInSeconds } = fillOf(flow, store);
        return (
          <div key={store.title}>
            <dt>{store.title}</dt>
            <dd class="small">
              {share === undefined ? 'not known' : `${bytesText(bytes)} of ${bytesText(bytesMax)}`}
              {share === undefined ? null : <meter class="bar" min={0} max={1} value={share} aria-label={`Fill of: ${store.title}`} />}
              <span class="muted small">
                {fullInSeconds === undefined ? 'not filling' : `full in ${durationText(fullInSeconds * 1000)} at this rate`}
              </span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
