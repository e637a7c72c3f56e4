import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { OidcClient } from '../api/oidc.ts';
import { signIn, waysToSignIn } from '../api/sign-in.ts';
import { usePolled } from '../parts/polled.ts';
import { ProblemNote } from '../parts/problem-note.tsx';

/** The link to the issuer, if one is configured, and the form for an API key or a token. */
export function SignIn({ reason }: { readonly reason: string | undefined }): JSX.Element {
  const [token, setToken] = useState('');
  const [error, setError] = useState<unknown>();
  const { data: ways } = usePolled(waysToSignIn, undefined);
  const submit = (event: Event): void => {
    event.preventDefault();
    setError(undefined);
    signIn(token.trim()).catch(setError);
  };
  return (
    <main class="sign-in">
      <h1>Sign in to Millrace</h1>
      {reason === undefined ? null : <p class="note warn">{reason}</p>}
      {ways?.oidc === undefined ? null : <IssuerButton client={ways.oidc} onError={setError} />}
      <form class="screen" onSubmit={submit}>
        <div class="field">
          <label for="token">{ways?.oidc === undefined ? 'API key or token' : 'Or an API key or token'}</label>
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
        <button type="submit" class={ways?.oidc === undefined ? 'primary' : ''} disabled={token.trim() === ''}>
          {ways?.oidc === undefined ? 'Sign in' : 'Sign in with the key'}
        </button>
      </form>
      <ProblemNote error={error} />
      <p class="muted small">The credential stays in the memory of this page. A reload forgets it.</p>
    </main>
  );
}

interface IssuerButtonProps {
  readonly client: OidcClient;
  readonly onError: (error: unknown) => void;
}

function IssuerButton({ client, onError }: IssuerButtonProps): JSX.Element {
  const [isLeaving, setLeaving] = useState(false);
  useEffect(() => {
    // Back from the issuer, a browser shows this page as it was left.
    const onShow = (): void => setLeaving(false);
    addEventListener('pageshow', onShow);
    return () => removeEventListener('pageshow', onShow);
  }, []);
  const leave = async (): Promise<void> => {
    setLeaving(true);
    onError(undefined);
    try {
      const { goToIssuer } = await import('./issuer-sign-in.ts');
      await goToIssuer(client);
    } catch (error) {
      setLeaving(false);
      onError(error);
    }
  };
  return (
    <button type="button" class="primary" disabled={isLeaving} onClick={() => void leave()}>
      {isLeaving ? 'Going to the issuer…' : `Sign in at ${new URL(client.issuer).host}`}
    </button>
  );
}
