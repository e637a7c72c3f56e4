import type { Flow } from '@millrace/contracts';
import type { JSX } from 'preact';

/** Says what to do where the query API knows no process. */
export function NoProcesses({ flow }: { readonly flow: Flow | undefined }): JSX.Element | null {
  if (flow?.processes.length !== 0) return null;
  return <p class="note">No process is configured. Set QUERY_FLOW_PROCESSES of the query API to the addresses of the processes.</p>;
}
