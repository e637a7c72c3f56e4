import type { QueryList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { engineLabels, phaseLabels, questionOf } from '../../parts/names.ts';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { bytesText, countText, durationText, usdText } from '../../parts/units.ts';

type Listed = QueryList['queries'][number];

export interface QueryTableProps {
  readonly queries: readonly Listed[];
  /** Absent: the queries have ended. */
  readonly onCancel?: (id: string) => void;
}

/** Queries with their owner, time and cost. */
export function QueryTable({ queries, onCancel }: QueryTableProps): JSX.Element {
  const hasOwners = queries.some(({ principal }) => principal !== undefined && principal.kind !== 'anonymous');
  const isActive = onCancel !== undefined;
  const columns = [
    { heading: 'State' },
    { heading: 'Statement' },
    { heading: 'Engine' },
    ...(hasOwners ? [{ heading: 'Owner' }] : []),
    { heading: 'Submitted' },
    { heading: 'Time', isNumber: true },
    ...(isActive ? [{ heading: 'Action' }] : ['Rows', 'Read', 'Price'].map((heading) => ({ heading, isNumber: true }))),
  ];
  return (
    <ScrollTable label={isActive ? 'Queued and running queries' : 'Ended queries'} columns={columns}>
      {queries.map((query) => (
        <tr key={query.id}>
          <td>
            <StateBadge state={query.state} />
            {query.progress === undefined ? null : <Progress progress={query.progress} />}
          </td>
          <td class="wide">
            <code class="clamp foreign">{questionOf(query).slice(0, 600)}</code>
            {query.error === undefined ? null : (
              <span class="small foreign clamp">{(query.error.detail ?? query.error.title).slice(0, 600)}</span>
            )}
          </td>
          <td>{engineLabels[query.engine]}</td>
          {hasOwners ? (
            <td>
              <bdi>{query.principal?.subject}</bdi>
            </td>
          ) : null}
          <td>
            <Moment at={query.submittedAt} />
          </td>
          <td class="number">{timeText(query)}</td>
          {onCancel === undefined ? (
            <Cost query={query} />
          ) : (
            <td>
              <button type="button" disabled={query.state === 'cancelling'} onClick={() => onCancel(query.id)}>
                Cancel
              </button>
            </td>
          )}
        </tr>
      ))}
    </ScrollTable>
  );
}

function Progress({ progress }: { readonly progress: NonNullable<Listed['progress']> }): JSX.Element {
  const { phase, queuePosition, bytesScanned } = progress;
  return (
    <span class="muted small block">
      {phaseLabels[phase]}
      {queuePosition === undefined ? '' : `, place ${countText(queuePosition)}`}
      {bytesScanned === undefined ? '' : `, ${bytesText(bytesScanned)} read`}
    </span>
  );
}

function Cost({ query: { statistics, cached } }: { readonly query: Listed }): JSX.Element {
  if (statistics === undefined)
    return (
      <>
        <td class="number">–</td>
        <td class="number">–</td>
        <td class="number">–</td>
      </>
    );
  return (
    <>
      <td class="number">{countText(statistics.rows)}</td>
      <td class="number" title={`${countText(statistics.bytesScanned)} bytes`}>
        {cached === undefined ? bytesText(statistics.bytesScanned) : 'cache'}
      </td>
      <td class="number">{statistics.usd === undefined ? '–' : usdText(statistics.usd)}</td>
    </>
  );
}

function timeText({ submittedAt, startedAt, finishedAt, statistics }: Listed): string {
  if (statistics !== undefined) return durationText(statistics.executionMs);
  const from = Date.parse(startedAt ?? submittedAt);
  return durationText(Math.max(0, (finishedAt === undefined ? Date.now() : Date.parse(finishedAt)) - from));
}
