import type { CallerView, SignInView } from '@millrace/contracts';
import { credential } from './credential.ts';
import { ApiError } from './errors.ts';
import { sendForJson } from './request.ts';
import { session } from './session.ts';

/**
 * Asks the API who the caller is. Without a credential this finds out whether authentication is on.
 *
 * @throws ApiError when the credential is not accepted, or without an answer
 */
export async function signIn(token?: string): Promise<void> {
  credential.value = token;
  try {
    session.value = { state: 'signed-in', caller: await sendForJson<CallerView>('/v1/caller') };
  } catch (error) {
    credential.value = undefined;
    session.value = { state: 'signed-out' };
    if (token === undefined && error instanceof ApiError && error.code === 'unauthenticated') return;
    throw error;
  }
}

/** The available sign-in methods, beside a key or a token. */
export async function waysToSignIn(): Promise<SignInView> {
  return await sendForJson<SignInView>('/v1/sign-in');
}
