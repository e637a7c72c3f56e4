import { ExperimentError } from '../errors.ts';

/** The path and query, after the URL of the endpoint, that a command line asks for. @throws ExperimentError `invalid` for a faulty one */
export function requestOf(
  [action, ...rest]: readonly string[],
  { seconds, set }: { readonly seconds: string; readonly set: readonly string[] },
): string {
  if (action === 'attacks' && rest.length === 0) return '';
  if (action === 'stop' && rest.length <= 1) return rest[0] === undefined ? '/stop' : `/stop?id=${encodeURIComponent(rest[0])}`;
  const [attack, target] = rest;
  if (action !== 'attack' || attack === undefined || target === undefined || rest.length > 2)
    throw new ExperimentError(
      'invalid',
      'Usage: ./millrace chaos attack NAME TARGET [--seconds N] [--set KEY=VALUE], chaos attacks, or chaos stop [ID]',
    );
  const query = new URLSearchParams({ attack, target, seconds });
  for (const one of set) {
    const [key = '', ...value] = one.split('=');
    query.set(key, value.join('='));
  }
  return `/start?${query.toString()}`;
}
