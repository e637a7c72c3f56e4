import type { CallerView } from '@millrace/contracts';
import { signal } from '@preact/signals';
import { credential } from './credential.ts';

/** Whether the user may use the API, and as whom. */
export type Session =
  | { readonly state: 'checking' }
  | { readonly state: 'signed-out'; readonly reason?: string }
  | { readonly state: 'signed-in'; readonly caller: CallerView };

export const session = signal<Session>({ state: 'checking' });

/** Ends the session: nothing of the credential is left. */
export function signOut(reason?: string): void {
  credential.value = undefined;
  session.value = { state: 'signed-out', ...(reason === undefined ? {} : { reason }) };
}

/** The API no longer takes the credential: it expired or was revoked. */
export function onRefusedCredential(): void {
  if (session.value.state === 'signed-in') signOut('The credential is no longer accepted. Sign in again.');
}

/** Whether the caller has one of some scopes. */
export function hasScope(scopes: readonly string[]): boolean {
  const { value } = session;
  return value.state === 'signed-in' && scopes.some((scope) => value.caller.scopes.includes(scope));
}
