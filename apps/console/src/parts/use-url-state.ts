import { useState } from 'preact/hooks';

/**
 * State of a screen that is part of its address, so that a reload and a shared link show the same. The standard value is left out.
 *
 * @param name parameter of the query string
 */
export function useUrlState(name: string, standard: string): readonly [value: string, set: (value: string) => void] {
  const [value, setValue] = useState(() => new URLSearchParams(location.search).get(name) ?? standard);
  const set = (next: string): void => {
    const query = new URLSearchParams(location.search);
    if (next === standard) query.delete(name);
    else query.set(name, next);
    const text = query.toString();
    history.replaceState(history.state, '', `${location.pathname}${text === '' ? '' : `?${text}`}${location.hash}`);
    setValue(next);
  };
  return [value, set];
}
