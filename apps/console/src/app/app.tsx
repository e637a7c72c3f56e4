import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { SignInError } from '../api/errors.ts';
import { session, signOut } from '../api/session.ts';
import { signIn } from '../api/sign-in.ts';
import { ProblemNote } from '../parts/problem-note.tsx';
import { pathTo } from './paths.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { applyTheme } from './theme.ts';

/** The console: the form to sign in, or the screens. */
export function App(): JSX.Element {
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    applyTheme();
    start().catch(setError);
  }, []);
  if (error !== undefined && session.value.state === 'signed-out')
    return (
      <main class="sign-in">
        <h1>Millrace</h1>
        <ProblemNote error={error} />
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      </main>
    );
  if (session.value.state === 'checking')
    return (
      <main class="sign-in">
        <h1>Millrace</h1>
        <p role="status">Connecting to the query API…</p>
      </main>
    );
  return session.value.state === 'signed-out' ? <SignIn reason={session.value.reason} /> : <Shell caller={session.value.caller} />;
}

/** Finds out who the user is: by the answer of the issuer that sent it back, or by a request without a credential. */
async function start(): Promise<void> {
  if (location.pathname !== pathTo('sign-in')) return await signIn();
  const { returnFromIssuer } = await import('./issuer-sign-in.ts');
  try {
    await returnFromIssuer();
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    signOut(error.message);
  }
}
