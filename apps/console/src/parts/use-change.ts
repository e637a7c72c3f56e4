import { useState } from 'preact/hooks';

/** A change that the user asks for on a screen that refreshes. */
export interface Change {
  /** Why the newest change failed; undefined while none has. */
  readonly failure: unknown;
  /** Makes the change, and reads the screen again whether it failed or not. */
  readonly make: (change: () => Promise<unknown>) => Promise<void>;
}

/** Makes changes and keeps the failure of the newest one. */
export function useChange(refresh: () => void): Change {
  const [failure, setFailure] = useState<unknown>();
  return {
    failure,
    make: async (change) => {
      setFailure(undefined);
      try {
        await change();
      } catch (problem) {
        setFailure(problem);
      }
      refresh();
    },
  };
}
