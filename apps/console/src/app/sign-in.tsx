import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { signIn } from '../api/sign-in.ts';
import { ProblemNote } from '../parts/problem-note.tsx';

/** The form for an API key or a token. */
export function SignIn({ reason }: { readonly reason: string | undefined }): JSX.Element {
  const [token, setToken] = useState('');
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    setError(undefined);
    signIn(token.trim()).catch(setError);
  };
  return (
    <main class="sign-in">
      <h1>Sign in to Millrace</h1>
      {reason === undefined ? null : <p class="note warn">{reason}</p>}
      <form class="screen" onSubmit={submit}>
        <div class="field">
          <label for="token">API key or token</label>
          <input
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </div>
        <button type="submit" class="primary" disabled={token.trim() === ''}>
          Sign in
        </button>
      </form>
      <ProblemNote error={error} />
      <p class="muted small">The credential stays in the memory of this page. A reload forgets it.</p>
    </main>
  );
}
