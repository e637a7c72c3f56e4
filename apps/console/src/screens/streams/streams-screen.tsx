import type { StreamDetail, StreamDetails } from '@millrace/contracts';
import type { JSX } from 'preact';
import { saveFile } from '../../api/save-file.ts';
import { sendForJson } from '../../api/request.ts';
import { hasScope } from '../../api/session.ts';
import { pathTo } from '../../app/paths.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { useChange } from '../../parts/use-change.ts';
import { schemaFields } from './schema-fields.ts';

const fieldColumns = [
  { heading: 'Field' },
  { heading: 'Type' },
  { heading: 'Required' },
  { heading: 'Limits' },
  { heading: 'Description' },
];
const historyColumns = [
  { heading: 'Schema', isNumber: true },
  { heading: 'Added columns' },
  { heading: 'Columns', isNumber: true },
  { heading: 'State' },
];

/** `/console/streams`: the kinds of events, their schemas, and the history of these. */
export function StreamsScreen(): JSX.Element {
  const { data, error } = usePolled(async (signal) => await sendForJson<StreamDetails>('/v1/streams', { signal }), undefined);
  return (
    <div class="screen">
      <h1>Streams</h1>
      <p class="muted">
        A stream is one kind of event: its topic, its schema and its table. Any team may read the topic and write events to it.
      </p>
      <ProblemNote error={error} />
      {data === undefined && error === undefined ? <p role="status">Reading the streams…</p> : null}
      {data?.streams.map((stream) => (
        <Stream key={stream.name} stream={stream} />
      ))}
    </div>
  );
}

function Stream({ stream }: { readonly stream: StreamDetail }): JSX.Element {
  const { name, description, topic, partitions, key, eventType, contract, table, scope, schema, example, asyncApi } = stream;
  const { failure, make } = useChange(() => undefined);
  const exampleText = JSON.stringify(example, null, 2);
  const facts = [
    ['Topic', `${topic}, ${partitions} partitions`],
    ['Key', key],
    ['Contract', contract],
    ['CloudEvents type', eventType],
    ['Scope to post', scope],
  ] as const;
  return (
    <section class="screen" aria-label={`Stream ${name}`}>
      <div class="heading">
        <h2>{name}</h2>
        <span class="muted">{description}</span>
        <div class="end">
          {hasScope(['queries:run']) ? <a href={`${pathTo('tables')}/${table}`}>Table {table}</a> : null}
          {hasScope(['admin']) ? <a href={`${pathTo('ledger')}/${table}`}>Ledger</a> : null}
          <button
            type="button"
            onClick={() => void make(async () => await saveFile(asyncApi, 'application/json', `${name}.asyncapi.json`))}
          >
            AsyncAPI
          </button>
        </div>
      </div>
      <ProblemNote error={failure} />
      <dl class="facts">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd class="small">{value}</dd>
          </div>
        ))}
      </dl>
      <section class="card" aria-label={`Schema of ${name}`}>
        <h3>Schema</h3>
        <ScrollTable label={`Fields of ${name}`} columns={fieldColumns}>
          {schemaFields(schema).map((field) => (
            <tr key={field.name}>
              <td>
                <code>{field.name}</code>
              </td>
              <td>{field.type}</td>
              <td>{field.isRequired ? 'yes' : 'no'}</td>
              <td>{field.rules.join(', ')}</td>
              <td class="wide">{field.description}</td>
            </tr>
          ))}
        </ScrollTable>
      </section>
      <History history={stream.history} />
      <section class="card" aria-label={`Example of ${name}`}>
        <div class="row">
          <h3>Example event</h3>
          <button type="button" class="plain" onClick={() => void navigator.clipboard.writeText(exampleText)}>
            Copy
          </button>
        </div>
        <pre class="example" tabIndex={0}>
          {exampleText}
        </pre>
      </section>
    </section>
  );
}

function History({ history }: Pick<StreamDetail, 'history'>): JSX.Element {
  return (
    <section class="card" aria-label="History of the schema">
      <h3>History</h3>
      {history === null ? (
        <p class="muted">There is no Iceberg table yet, or it cannot be read. It keeps every schema that the table had.</p>
      ) : (
        <ScrollTable label="Schemas of the Iceberg table" columns={historyColumns}>
          {history.map(({ schema, isCurrent, columns, added }) => (
            <tr key={schema}>
              <td class="number">{schema}</td>
              <td class="wide">{added.length === 0 ? (schema === 0 ? 'the first schema' : 'none') : added.join(', ')}</td>
              <td class="number" title={columns.map((column) => `${column.name} ${column.type}`).join('\n')}>
                {columns.length}
              </td>
              <td>{isCurrent ? <span class="badge good">current</span> : null}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}
