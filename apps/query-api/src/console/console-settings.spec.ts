import { expect, it } from 'vitest';
import { consoleSettings, consoleProblems, type ConsoleConfig } from './console-settings.ts';

const config: ConsoleConfig = {
  QUERY_CONSOLE_OIDC_CLIENT_ID: 'console',
  QUERY_CONSOLE_OIDC_SCOPE: 'openid queries:run',
  QUERY_CONSOLE_OIDC_ORIGINS: ['https://tokens.example', 'https://issuer.example'],
  MILLRACE_AUTH_JWT_ISSUER: 'https://issuer.example/realms/shop/',
  MILLRACE_AUTH_JWT_AUDIENCE: 'millrace',
};

it('the sign-in names the issuer of the tokens, and the page may connect to its origins', () => {
  expect(consoleSettings(config)).toEqual({
    signIn: {
      oidc: { issuer: 'https://issuer.example/realms/shop/', clientId: 'console', scope: 'openid queries:run', audience: 'millrace' },
    },
    origins: ['https://issuer.example', 'https://tokens.example'],
  });
  expect(consoleProblems(config)).toEqual([]);
});

it('without a client the page connects to no other origin', () => {
  const { QUERY_CONSOLE_OIDC_CLIENT_ID: _client, ...without } = config;
  expect(consoleSettings(without)).toEqual({ signIn: {}, origins: [] });
  const chaosUrl = 'http://127.0.0.1:3010';
  expect(consoleSettings({ ...without, QUERY_CONSOLE_CHAOS_URL: chaosUrl })).toEqual({ signIn: {}, origins: [chaosUrl], chaosUrl });
  expect(consoleProblems({ ...without, QUERY_CONSOLE_OIDC_ORIGINS: [] })).toEqual([]);
  expect(consoleProblems(without)).toEqual(['QUERY_CONSOLE_OIDC_ORIGINS needs QUERY_CONSOLE_OIDC_CLIENT_ID.']);
});

it.each([
  [undefined, 'needs MILLRACE_AUTH_JWT_ISSUER'],
  ['http://issuer.example', 'must be an https URL'],
  ['shop', 'must be an https URL'],
])('the issuer %s is refused for the console', (MILLRACE_AUTH_JWT_ISSUER, problem) => {
  const { MILLRACE_AUTH_JWT_ISSUER: _issuer, ...without } = config;
  const given = MILLRACE_AUTH_JWT_ISSUER === undefined ? without : { ...without, MILLRACE_AUTH_JWT_ISSUER };
  expect(consoleProblems(given)).toEqual([expect.stringContaining(problem)]);
});

it('an issuer on this machine may use plain HTTP', () => {
  expect(consoleProblems({ ...config, MILLRACE_AUTH_JWT_ISSUER: 'http://127.0.0.1:8080' })).toEqual([]);
});
