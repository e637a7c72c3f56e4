import type { TableDetail } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { pathTo } from '../../app/paths.ts';
import { Grid } from '../../parts/grid/grid.tsx';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { Moment } from '../../parts/moment.tsx';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { bytesText, countText } from '../../parts/units.ts';
import { Lanes } from './lanes.tsx';
import { Partitions } from './partitions.tsx';

const everyMs = 5000;
const sampleRows = 20;
const columns = [{ heading: 'Name' }, { heading: 'Type' }, { heading: 'Description' }];

/** One table: its size, freshness, columns, days and some of its rows. */
export function TableScreen({ name }: { readonly name: string }): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const path = `/v1/tables/${encodeURIComponent(name)}`;
  const table = usePolled(async (signal) => await sendForJson<TableDetail>(`${path}?sample=0`, { signal }), isPaused ? undefined : everyMs);
  const sample = usePolled(
    async (signal) => (await sendForJson<TableDetail>(`${path}?sample=${sampleRows}`, { signal })).sample,
    undefined,
  );
  const { data, error } = table;
  return (
    <div class="screen">
      <LiveHeading title={<bdi>{name}</bdi>} isPaused={isPaused} onPause={setPaused} everyMs={everyMs} isLost={error !== undefined}>
        <a href={pathTo('tables')}>All tables</a>
      </LiveHeading>
      <ProblemNote error={error} />
      {data === undefined ? error === undefined ? <p role="status">Reading the ledger…</p> : null : <Detail table={data} />}
      {data === undefined ? null : (
        <section class="card" aria-label="Sample">
          <h2>Some rows of the newest day</h2>
          <ProblemNote error={sample.error} />
          {sample.data === undefined && sample.error === undefined ? <p role="status">Reading some rows…</p> : null}
          {sample.data === null ? <p class="muted">The rows could not be read within 5 s.</p> : null}
          {sample.data === undefined || sample.data === null ? null : (
            <Grid label="Sample" columns={sample.data.columns} rows={sample.data.rows} />
          )}
        </section>
      )}
    </div>
  );
}

function Detail({ table }: { readonly table: TableDetail }): JSX.Element {
  const { projection } = table;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Rows by the ledger</dt>
          <dd>{countText(table.rows)}</dd>
        </div>
        <div>
          <dt>Files</dt>
          <dd>{countText(table.files)}</dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd title={`${countText(table.bytes)} bytes`}>{bytesText(table.bytes)}</dd>
        </div>
        <div>
          <dt>Days in the catalog</dt>
          <dd>
            {countText(table.registeredCount)} of {countText(table.partitionCount)}
          </dd>
        </div>
        <div>
          <dt>Topic</dt>
          <dd class="small">{table.topic}</dd>
        </div>
      </dl>
      <section class="card" aria-label="Iceberg table">
        <h2>Iceberg table</h2>
        {projection === null ? (
          <p class="muted">There is no Iceberg table yet, or it cannot be read. Queries read the landed files.</p>
        ) : (
          <p>
            <strong>{projection.table}</strong>: commit {countText(projection.commit)} of <Moment at={projection.committedAt} />,{' '}
            {countText(projection.files)} files, {bytesText(projection.bytes)}.{' '}
            {projection.behindOffsets === 0
              ? 'It holds every landed event.'
              : `${countText(projection.behindOffsets)} offsets are not in it yet.`}
          </p>
        )}
      </section>
      <Lanes lanes={table.lanes} />
      <Partitions table={table} />
      <section class="card" aria-label="Columns">
        <h2>Columns</h2>
        <ScrollTable label="Columns of the table" columns={columns}>
          {table.columns.map(({ name, type, description }) => (
            <tr key={name}>
              <td>
                <code>{name}</code>
              </td>
              <td>{type}</td>
              <td class="wide">{description}</td>
            </tr>
          ))}
        </ScrollTable>
      </section>
    </>
  );
}
