import type { JSX } from 'preact';

/** The state of a screen that refreshes. */
export interface LiveControlProps {
  readonly isPaused: boolean;
  readonly onPause: (isPaused: boolean) => void;
  readonly everyMs: number;
  /** Whether the newest attempt failed. */
  readonly isLost: boolean;
}

/** Shows whether a screen is live, and pauses it. */
export function LiveControl({ isPaused, onPause, everyMs, isLost }: LiveControlProps): JSX.Element {
  const [tone, text] = isPaused
    ? ['warn', 'Paused']
    : isLost
      ? ['bad', 'Reconnecting: the values are old']
      : ['good', `Refreshes every ${everyMs / 1000} s`];
  return (
    <div class="row" role="status">
      <span class={`badge ${tone}`}>{text}</span>
      <button type="button" aria-pressed={isPaused} onClick={() => onPause(!isPaused)}>
        {isPaused ? 'Resume' : 'Pause'}
      </button>
    </div>
  );
}
