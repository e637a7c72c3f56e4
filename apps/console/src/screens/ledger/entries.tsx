import type { LedgerEntryView, LedgerTimeline } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CloseRow } from '../../parts/close-row.tsx';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { bytesText, countText } from '../../parts/units.ts';

const columns = [
  { heading: 'Recorded' },
  { heading: 'Partition', isNumber: true },
  { heading: 'Offsets' },
  ...['Rows', 'Rejected', 'Dropped', 'Files'].map((heading) => ({ heading, isNumber: true })),
  { heading: 'Entry' },
];

/** The entries of the range, each with its files. */
export function Entries({ timeline: { list, entries, unread } }: { readonly timeline: LedgerTimeline }): JSX.Element {
  const [shown, setShown] = useState<LedgerEntryView>();
  return (
    <section class="card" aria-label="Entries">
      <h2>Entries</h2>
      {list === undefined ? (
        <p class="muted">
          {unread > 0
            ? `Reading the entries: ${countText(unread)} of ${countText(entries)} are left.`
            : `There are ${countText(entries)} entries. Zoom in until there are at most 200 to see each of them.`}
        </p>
      ) : list.length === 0 ? (
        <p class="muted">No entry was recorded in this time.</p>
      ) : (
        <ScrollTable label="Entries of the ledger" columns={columns}>
          {list.map((entry) => (
            <tr key={`${entry.partition}/${entry.from}`}>
              <td>
                <Moment at={entry.at} />
              </td>
              <td class="number">{entry.partition}</td>
              <td>
                {countText(entry.from)}–{countText(entry.to)} {entry.kind === 'gap' ? <span class="badge warn">gap</span> : null}
              </td>
              <td class="number">{countText(entry.rows)}</td>
              <td class="number">{countText(entry.rejected)}</td>
              <td class="number">{countText(entry.dropped)}</td>
              <td class="number">{countText(entry.files.length)}</td>
              <td>
                <button
                  type="button"
                  aria-label={`Show the entry of partition ${entry.partition} at offset ${entry.from}`}
                  onClick={() => setShown(entry)}
                >
                  Show
                </button>
              </td>
            </tr>
          ))}
        </ScrollTable>
      )}
      {shown === undefined ? null : <EntryDialog entry={shown} onClose={() => setShown(undefined)} />}
    </section>
  );
}

const fileColumns = [{ heading: 'Day' }, { heading: 'Rows', isNumber: true }, { heading: 'Size', isNumber: true }, { heading: 'File' }];

function EntryDialog({ entry, onClose }: { readonly entry: LedgerEntryView; readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { partition, from, to, at, id, kind, rows, rejected, dropped, absent, gap, files, rejectFile, reason, writer, contract } = entry;
  const facts = [
    ['Identity', id],
    ['Writer', writer],
    ['Contract', contract],
    ['Rows', countText(rows)],
    ['Rejected', countText(rejected)],
    ['Duplicates', countText(dropped)],
    ['No record', countText(absent)],
    ['In a gap', countText(gap)],
    ...(rejectFile === undefined ? [] : [['Reject file', rejectFile]]),
  ] as const;
  return (
    <dialog ref={dialog} class="large" aria-label={`Entry of partition ${partition} at offset ${from}`} onClose={onClose}>
      <div class="screen">
        <h2>
          Partition {partition}, offsets {countText(from)}–{countText(to)}
        </h2>
        <p class="muted small">
          Recorded on <Moment at={at} />
        </p>
        {kind === 'gap' ? <p class="note warn foreign">Gap: {reason ?? 'the log no longer had these offsets'}</p> : null}
        <dl class="fields">
          {facts.map(([title, value]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd class="foreign">{value}</dd>
            </div>
          ))}
        </dl>
        {files.length === 0 ? null : (
          <ScrollTable label="Files of the entry" columns={fileColumns}>
            {files.map((file) => (
              <tr key={file.key}>
                <td>{file.dt}</td>
                <td class="number">{countText(file.rows)}</td>
                <td class="number" title={`${countText(file.bytes)} bytes`}>
                  {bytesText(file.bytes)}
                </td>
                <td class="wide">
                  <code class="foreign">{file.key}</code>
                </td>
              </tr>
            ))}
          </ScrollTable>
        )}
        <CloseRow dialog={dialog} />
      </div>
    </dialog>
  );
}
