import type { TableList } from '@millrace/contracts';
import { useRoute } from 'preact-iso';
import type { JSX } from 'preact';
import { sendForJson } from '../../api/request.ts';
import { pathTo } from '../../app/paths.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { TableScreen } from './table-screen.tsx';

/** `/console/tables`: the tables, or one of them. */
export function TablesScreen(): JSX.Element {
  const item = useRoute().params['item'];
  return item === undefined ? <TableListing /> : <TableScreen key={item} name={item} />;
}

function TableListing(): JSX.Element {
  const { data, error } = usePolled(async (signal) => await sendForJson<TableList>('/v1/tables', { signal }), undefined);
  return (
    <div class="screen">
      <h1>Tables</h1>
      <ProblemNote error={error} />
      {data === undefined && error === undefined ? <p role="status">Loading the tables…</p> : null}
      {data?.tables.map(({ name, database, columns }) => (
        <section key={name} class="card" aria-label={name}>
          <h2>
            <a href={`${pathTo('tables')}/${name}`}>{name}</a>
          </h2>
          <p class="muted">
            Database {database}, {columns.length} columns
          </p>
        </section>
      ))}
    </div>
  );
}
