import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import { ConfigError } from '../errors.ts';
import { authFrom, authPrefix, authSettings } from './auth-settings.ts';

const hash = 'a'.repeat(64);

function authOf(env: Record<string, string>, file?: string): ReturnType<typeof authFrom> {
  return authFrom(readConfig(Type.Object(authSettings), { prefixes: [authPrefix], env }), () => {
    if (file === undefined) throw new Error('ENOENT: no such file');
    return file;
  });
}

function problemsOf(env: Record<string, string>, file?: string): readonly string[] {
  try {
    authOf(env, file);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('authentication settings', () => {
  it('authentication is off without settings', () => {
    expect(authOf({})).toEqual({});
  });

  it('an issuer, a list of keys or an empty key file turns authentication on', () => {
    const jwt = {
      MILLRACE_AUTH_JWKS_URL: 'https://issuer/jwks',
      MILLRACE_AUTH_JWT_ISSUER: 'https://issuer',
      MILLRACE_AUTH_JWT_AUDIENCE: 'millrace',
    };
    expect(authOf(jwt)).toMatchObject({
      jwt: {
        jwksUrl: 'https://issuer/jwks',
        issuer: 'https://issuer',
        audience: 'millrace',
        clockToleranceSeconds: 30,
        jwks: { name: 'jwks', timeout: { attemptMs: 2000 }, retry: { attemptsMax: 2 } },
      },
    });
    expect(authOf({ ...jwt, MILLRACE_AUTH_JWKS_ATTEMPT_TIMEOUT_MS: '900' }).jwt?.jwks?.timeout?.attemptMs).toBe(900);
    expect(authOf({ MILLRACE_AUTH_API_KEYS: `till:${hash}:admin` }).apiKeys).toHaveLength(1);
    expect(authOf({ MILLRACE_AUTH_API_KEYS_FILE: 'keys.json' }, '{"keys":[]}').apiKeys).toEqual([]);
  });

  it('invalid authentication settings are refused, and the error names every fault', () => {
    expect(problemsOf({ MILLRACE_AUTH_JWT_ISSUER: 'x', MILLRACE_AUTH_API_KEYS: 'x', MILLRACE_AUTH_API_KEYS_FILE: 'no.json' })).toEqual([
      'MILLRACE_AUTH_JWKS_URL, MILLRACE_AUTH_JWT_ISSUER and MILLRACE_AUTH_JWT_AUDIENCE belong together: set all three or none.',
      expect.stringMatching(/^API key 1 of the list/),
      'MILLRACE_AUTH_API_KEYS_FILE no.json cannot be read: ENOENT: no such file.',
    ]);
  });

  it('contradictory settings of the pipeline jwks are refused', () => {
    const jwt = {
      MILLRACE_AUTH_JWKS_URL: 'https://issuer/jwks',
      MILLRACE_AUTH_JWT_ISSUER: 'https://issuer',
      MILLRACE_AUTH_JWT_AUDIENCE: 'millrace',
    };
    expect(problemsOf({ ...jwt, MILLRACE_AUTH_JWKS_ATTEMPT_TIMEOUT_MS: '9000' })).toEqual([
      expect.stringMatching(/^Pipeline jwks: .*attemptMs/),
    ]);
  });

  it('a key set over plain HTTP is accepted on loopback only', () => {
    const rest = { MILLRACE_AUTH_JWT_ISSUER: 'x', MILLRACE_AUTH_JWT_AUDIENCE: 'y' };
    expect(problemsOf({ ...rest, MILLRACE_AUTH_JWKS_URL: 'http://issuer.example/jwks' })).toEqual([
      expect.stringContaining('must be an https URL'),
    ]);
    expect(problemsOf({ ...rest, MILLRACE_AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks' })).toEqual([]);
    expect(problemsOf({ ...rest, MILLRACE_AUTH_JWKS_URL: 'http://[::1]:1/jwks' })).toEqual([]);
  });

  it('a misspelt setting is refused and does not turn authentication off', () => {
    expect(problemsOf({ MILLRACE_AUTH_JWKS_URI: 'https://issuer/jwks' })).toEqual([
      'MILLRACE_AUTH_JWKS_URI is not a known setting; did you mean MILLRACE_AUTH_JWKS_URL?',
    ]);
  });
});
