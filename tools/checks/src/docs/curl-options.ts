import { parseArgs } from 'node:util';

/** The request that a curl command line describes. */
export interface CurlRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Attempts after the first, for answers that may pass: 408, 429, 500, 502, 503, 504. */
  readonly retries: number;
  /** Fail, with no output, on an answer of 400 and above. */
  readonly failing: boolean;
  /** Whether the answer is discarded (`-o /dev/null`). Absent: it is written. */
  readonly discards?: true;
  /** Text to write after the answer. */
  readonly writeOut: string;
}

/**
 * Reads the options of curl that the documents use.
 *
 * @throws TypeError naming another option
 */
export function readCurlOptions(args: readonly string[]): CurlRequest {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      silent: { type: 'boolean', short: 's' },
      fail: { type: 'boolean', short: 'f', default: false },
      request: { type: 'string', short: 'X' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      data: { type: 'string', short: 'd' },
      output: { type: 'string', short: 'o' },
      retry: { type: 'string', default: '0' },
      'write-out': { type: 'string', short: 'w', default: '' },
    },
  });
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new TypeError(`curl takes one URL here, not ${positionals.length}`);
  const body = values.data;
  if (values.output !== undefined && values.output !== '/dev/null')
    throw new TypeError(`curl writes to no file here, not to ${values.output}`);
  return {
    url,
    method: values.request ?? (body === undefined ? 'GET' : 'POST'),
    headers: values.header.map((text) => [text.slice(0, text.indexOf(':')).trim(), text.slice(text.indexOf(':') + 1).trim()] as const),
    ...(body === undefined ? {} : { body }),
    retries: Number(values.retry),
    failing: values.fail,
    ...(values.output === undefined ? {} : { discards: true as const }),
    writeOut: values['write-out'],
  };
}
