import type { QueryState } from '@millrace/contracts';
import type { JSX } from 'preact';

const tones: Readonly<Record<QueryState, string>> = {
  queued: '',
  running: 'busy',
  cancelling: 'warn',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'warn',
};

/** The state of a query, in words and colour. */
export function StateBadge({ state }: { readonly state: QueryState }): JSX.Element {
  return <span class={`badge ${tones[state]}`}>{state}</span>;
}
