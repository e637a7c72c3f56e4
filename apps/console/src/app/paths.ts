/** Path under which the query API serves the console. */
export const base = '/console';

/** The path of a screen in the address bar. */
export function pathTo(screen: string): string {
  return `${base}/${screen}`;
}
