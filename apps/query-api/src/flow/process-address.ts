/** Where a process of Millrace listens. */
export interface ProcessAddress {
  /** Name of the process: that of its service, and a suffix where there are several, such as `sink-2`. */
  readonly name: string;
  /** Origin, such as `http://127.0.0.1:3002`. */
  readonly url: string;
}

/** Pattern of one entry of `QUERY_FLOW_PROCESSES`. */
export const processAddressPattern = '^[a-z][a-z0-9-]{0,62}=https?://[^\\s,/=]+$';

/** Reads the entries of `QUERY_FLOW_PROCESSES`, such as `sink=http://127.0.0.1:3002`. */
export function processAddresses(entries: readonly string[]): readonly ProcessAddress[] {
  return entries.map((entry) => {
    const at = entry.indexOf('=');
    return { name: entry.slice(0, at), url: entry.slice(at + 1) };
  });
}
