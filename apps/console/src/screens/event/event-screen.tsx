import type { EventWay } from '@millrace/contracts';
import { useLocation, useRoute } from 'preact-iso';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { pathTo } from '../../app/paths.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { eventIdIn, placeIn } from './receipt.ts';
import { Waterfall } from './waterfall.tsx';

const everyMs = 2000;
/** States that are final. */
const ends: ReadonlySet<EventWay['status']> = new Set(['queryable', 'duplicate', 'rejected', 'lost']);

/** `/console/event`: one event from its receipt to its row. */
export function EventScreen(): JSX.Element {
  const item = useRoute().params['item'];
  const { route, query } = useLocation();
  const [text, setText] = useState(item ?? '');
  const id = eventIdIn(text);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (id === undefined) return;
    const place = placeIn(text);
    route(`${pathTo('event')}/${id}${place === undefined ? '' : `?${place}`}`);
  };
  return (
    <div class="screen">
      <h1>Event</h1>
      <form class="row" onSubmit={submit}>
        <div class="field grow">
          <label for="event">Event id or receipt</label>
          <textarea
            id="event"
            rows={2}
            spellcheck={false}
            placeholder="An eventId, or the JSON that the purchase API answered"
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </div>
        <button type="submit" class="primary" disabled={id === undefined}>
          Follow
        </button>
      </form>
      {item === undefined ? (
        <p class="note">Paste the receipt of a purchase. The place in it spares a search of the topic.</p>
      ) : (
        <Way key={`${item} ${query['offset'] ?? ''}`} id={item} place={placeOfQuery(query)} />
      )}
    </div>
  );
}

function Way({ id, place }: { readonly id: string; readonly place: string }): JSX.Element {
  const [isEnded, setEnded] = useState(false);
  const { data, error } = usePolled(
    async (signal) => {
      const way = await sendForJson<EventWay>(`/v1/events/${encodeURIComponent(id)}${place}`, { signal });
      setEnded(ends.has(way.status));
      return way;
    },
    isEnded ? undefined : everyMs,
    `${id}${place}`,
  );
  if (error !== undefined) return <ProblemNote error={error} />;
  return data === undefined ? (
    <p role="status">Looking for the event in the topic, the ledger and the catalog…</p>
  ) : (
    <Waterfall way={data} />
  );
}

function placeOfQuery({ partition, offset }: Readonly<Record<string, string>>): string {
  return partition === undefined || offset === undefined
    ? ''
    : `?partition=${encodeURIComponent(partition)}&offset=${encodeURIComponent(offset)}`;
}
