import type { QueryList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { Moment } from '../../parts/moment.tsx';
import { questionOf } from '../../parts/names.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

type Listed = QueryList['queries'][number];

const quietMs = 300;
const listedMax = 50;

export interface HistoryPanelProps {
  /** Changes when a query was submitted: the list is read again. */
  readonly version: string;
  readonly onOpen: (query: Listed) => void;
}

/** The queries of the caller, the newest first, with a search. */
export function HistoryPanel({ version, onOpen }: HistoryPanelProps): JSX.Element {
  const [text, setText] = useState('');
  const [searched, setSearched] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSearched(text), quietMs);
    return () => clearTimeout(timer);
  }, [text]);
  const query = new URLSearchParams({ limit: String(listedMax), ...(searched === '' ? {} : { text: searched }) }).toString();
  const { data, error } = usePolled(
    async (signal) => await sendForJson<QueryList>(`/v1/queries?${query}`, { signal }),
    undefined,
    `${query} ${version}`,
  );
  return (
    <>
      <input
        type="search"
        aria-label="Search the history"
        placeholder="Part of a statement"
        maxLength={200}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <ProblemNote error={error} />
      {data === undefined ? <p role="status">Loading the history…</p> : null}
      {data?.queries.length === 0 ? (
        <p class="muted">{searched === '' ? 'No query has run yet.' : 'No statement contains this text.'}</p>
      ) : null}
      <ul class="list">
        {data?.queries.map((one) => (
          <li key={one.id}>
            <button type="button" class="plain" onClick={() => onOpen(one)}>
              <span class="row small">
                <StateBadge state={one.state} />
                <span class="muted">
                  <Moment at={one.submittedAt} />
                </span>
              </span>
              <code class="clamp foreign">{questionOf(one).slice(0, 300)}</code>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
