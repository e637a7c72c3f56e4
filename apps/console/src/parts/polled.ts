import { useEffect, useRef, useState } from 'preact/hooks';

/** Data that is read again and again. */
export interface Polled<T> {
  readonly data: T | undefined;
  /** The failure of the newest attempt. `data` is then older than it looks. */
  readonly error: unknown;
  /** Reads now. */
  readonly refresh: () => void;
}

/**
 * Reads data now and every `everyMs`, and not while the page is hidden or paused. One read runs at a time.
 *
 * @param key reads anew when it changes
 */
export function usePolled<T>(read: (signal: AbortSignal) => Promise<T>, everyMs: number | undefined, key = ''): Polled<T> {
  const [state, setState] = useState<{ readonly key: string; readonly data?: T; readonly error?: unknown }>({ key });
  const [turn, setTurn] = useState(0);
  const current = useRef(read);
  current.current = read;
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readOnce = async (): Promise<void> => {
      if (!document.hidden)
        try {
          const data = await current.current(stop.signal);
          setState({ key, data });
        } catch (error) {
          if (stop.signal.aborted) return;
          setState((before) => (before.key === key ? { ...before, error } : { key, error }));
        }
      if (everyMs !== undefined && !stop.signal.aborted) timer = setTimeout(() => void readOnce(), everyMs);
    };
    void readOnce();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [everyMs, key, turn]);
  const fresh = state.key === key ? state : { key };
  return { data: fresh.data, error: fresh.error, refresh: () => setTurn((before) => before + 1) };
}
