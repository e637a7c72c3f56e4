import type { Stream } from '@millrace/contracts';
import { validationError } from './errors.ts';

/**
 * The stream of a name, or the first one without a name.
 *
 * @throws QueryError `validation` that names the streams when none has the name
 */
export function streamNamed(streams: readonly Stream[], name: string | string[] | undefined): Stream {
  const found = name === undefined ? streams[0] : streams.find((stream) => stream.name === name);
  if (found !== undefined) return found;
  throw validationError([{ field: 'stream', message: `must be one of ${streams.map((stream) => stream.name).join(', ')}` }]);
}
