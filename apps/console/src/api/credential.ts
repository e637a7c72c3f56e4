import { signal } from '@preact/signals';

/** The bearer token of the user. It is in memory only: a reload forgets it, and no storage of the browser ever holds it. */
export const credential = signal<string | undefined>(undefined);
