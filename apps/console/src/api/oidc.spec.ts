import { openTestIssuer, testClientId, type TestIssuer } from '@millrace/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SignInError } from './errors.ts';
import { beginSignIn, finishSignIn, returnPath, type OidcClient, type OidcPage } from './oidc.ts';

const origin = 'http://127.0.0.1:3003';
let issuer: TestIssuer;
let client: OidcClient;
let kept: Map<string, string>;
let page: OidcPage;

beforeAll(async () => {
  issuer = await openTestIssuer();
  client = { issuer: issuer.name, clientId: testClientId, scope: 'openid queries:run', audience: 'millrace' };
});
afterAll(async () => await issuer.close());
beforeEach(() => {
  kept = new Map();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  page = { origin, storage, fetch };
});

/** The query string with which the issuer sends the user back. */
async function answered(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' });
  const back = new URL(response.headers.get('location')!);
  expect(back.origin + back.pathname).toBe(origin + returnPath);
  return back.search;
}

async function failureOf(finish: Promise<unknown>): Promise<string> {
  const error = await finish.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SignInError);
  expect(kept.size).toBe(0);
  return (error as SignInError).message;
}

describe('signing in at an issuer', () => {
  it('a code is exchanged with its verifier for the token, and the storage is empty then', async () => {
    const url = await beginSignIn(client, '/console/ask?x=1#sql=SELECT+1', page);
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      response_type: 'code',
      client_id: testClientId,
      redirect_uri: `${origin}/console/sign-in`,
      scope: 'openid queries:run',
      audience: 'millrace',
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
    });
    const search = await answered(url);
    const { token, returnTo } = await finishSignIn(client, search, page);
    expect(returnTo).toBe('/console/ask?x=1#sql=SELECT+1');
    expect(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8'))).toMatchObject({ iss: issuer.name, sub: 'alice' });
    expect(kept.size).toBe(0);
    // The address stays in the history of the browser.
    expect(await failureOf(finishSignIn(client, search, page))).toMatch(/^The answer of the issuer belongs to no sign-in/);
  });

  it.each(['https://evil.example/', '//evil.example', '/consoles', '/console/sign-in?code=x'])(
    'after the sign-in the page never goes to %s',
    async (from) => {
      const search = await answered(await beginSignIn(client, from, page));
      expect((await finishSignIn(client, search, page)).returnTo).toBe('/console');
    },
  );

  it('an answer with another state, of another issuer, or with a refusal gives no token', async () => {
    const exchanges = issuer.exchanges.length;
    const search = await answered(await beginSignIn(client, '/console', page));
    expect(await failureOf(finishSignIn(client, search.replace(/state=./, 'state=!'), page))).toMatch(/no sign-in of this tab/);
    const other = new URLSearchParams(await answered(await beginSignIn(client, '/console', page)));
    other.set('iss', 'https://evil.example');
    expect(await failureOf(finishSignIn(client, other.toString(), page))).toMatch(/another issuer/);
    const url = new URL(await beginSignIn(client, '/console', page));
    const refused = new URLSearchParams({ state: url.searchParams.get('state')!, error: 'access_denied', error_description: 'Not you.' });
    expect(await failureOf(finishSignIn(client, refused.toString(), page))).toBe('The issuer answered access_denied. Not you.');
    expect(issuer.exchanges.length).toBe(exchanges);
  });

  it('the issuer refuses a code whose verifier is not that of the page', async () => {
    const search = await answered(await beginSignIn(client, '/console', page));
    const [[key, text] = ['', '{}']] = [...kept];
    kept.set(key, JSON.stringify({ ...(JSON.parse(text) as object), verifier: 'stolen' }));
    expect(await failureOf(finishSignIn(client, search, page))).toBe('The issuer answered 400: invalid_grant');
  });

  it.each<[what: string, document: object, message: RegExp]>([
    ['of another issuer', { issuer: 'https://evil.example' }, /describes another issuer/],
    ['with an endpoint without https', { authorization_endpoint: 'http://issuer.example/authorize' }, /without https/],
    ['with an endpoint that is a script', { authorization_endpoint: 'javascript:alert(1)' }, /without https/],
  ])('a discovery document %s is refused', async (_what, document, message) => {
    const whole = { issuer: issuer.name, authorization_endpoint: 'https://a.example/', token_endpoint: 'https://a.example/t', ...document };
    const lying = { ...page, fetch: async () => Response.json(whole) };
    expect(await failureOf(beginSignIn(client, '/console', lying))).toMatch(message);
  });

  it('an issuer that does not answer is named with the remedy', async () => {
    const away = { ...page, fetch: async () => await Promise.reject(new TypeError('Failed to fetch')) };
    expect(await failureOf(beginSignIn(client, '/console', away))).toMatch(/does not answer this page.*QUERY_CONSOLE_OIDC_ORIGINS/);
  });
});
