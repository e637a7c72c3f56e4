import type { Flow } from '@millrace/contracts';
import type { JSX } from 'preact';

/** States the remedy when the query API has no configured process. */
export function NoProcesses({ flow }: { readonly flow: Flow | undefined }): JSX.Element | null {
  if (flow?.processes.length !== 0) return null;
  return <p class="note">No process is configured. Set QUERY_FLOW_PROCESSES of the query API to the addresses of the processes.</p>;
}
