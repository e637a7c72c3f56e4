import { beginSignIn, finishSignIn, type OidcClient, type OidcPage } from '../api/oidc.ts';
import { SignInError } from '../api/errors.ts';
import { signIn, waysToSignIn } from '../api/sign-in.ts';
import { base } from './paths.ts';

function thisPage(): OidcPage {
  return { origin: location.origin, storage: sessionStorage, fetch: async (url, init) => await fetch(url, init) };
}

/**
 * Leaves the page for the issuer.
 *
 * @throws SignInError when the issuer cannot be used from this page
 */
export async function goToIssuer(client: OidcClient): Promise<void> {
  // Browsers offer the cryptography of PKCE to such pages only.
  if (!isSecureContext) throw new SignInError('Signing in at an issuer needs a page with https, or one of this machine.');
  const { pathname, search, hash } = location;
  location.assign(await beginSignIn(client, pathname + search + hash, thisPage()));
}

/**
 * Signs in with the code in the address, and shows the screen from which the user came. The code leaves the address in any case.
 *
 * @throws SignInError when the issuer or the answer is at fault, ApiError when the query API does not take the token
 */
export async function returnFromIssuer(): Promise<void> {
  const { search } = location;
  history.replaceState(null, '', base);
  const { oidc } = await waysToSignIn();
  if (oidc === undefined) throw new SignInError('No issuer is configured for this console.');
  const { token, returnTo } = await finishSignIn(oidc, search, thisPage());
  history.replaceState(null, '', returnTo);
  await signIn(token);
}
