import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { ConfigError } from '../errors.ts';
import { pipelineProblems } from '../pipelines/make-pipelines.ts';
import { pipelineSettings, pipelineSpecs } from '../pipelines/settings/pipeline-settings.ts';
import { type ApiKey, parseApiKeyFile, parseApiKeyList } from './api-keys.ts';
import { authPipelines } from './jwks-pipeline.ts';
import { isLoopback } from './loopback.ts';
import type { AuthOptions } from './protect.ts';

/** Prefix of {@link authSettings}: give it to `readConfig`, so that a misspelt setting is refused and does not leave authentication off. */
export const authPrefix = 'MILLRACE_AUTH_';

/** Settings of authentication, the same for every service: spread them into the service's schema. */
export const authSettings = {
  MILLRACE_AUTH_JWKS_URL: Type.Optional(
    Type.String({ pattern: '^https?://', description: "URL of the issuer's key set; https unless it is on this machine." }),
  ),
  MILLRACE_AUTH_JWT_ISSUER: Type.Optional(Type.String({ minLength: 1, description: 'Required `iss` of a token.' })),
  MILLRACE_AUTH_JWT_AUDIENCE: Type.Optional(Type.String({ minLength: 1, description: 'Required `aud` of a token.' })),
  MILLRACE_AUTH_CLOCK_TOLERANCE_SECONDS: Type.Integer({
    minimum: 0,
    maximum: 300,
    default: 30,
    description: 'Maximum difference between the clocks of issuer and service, in seconds.',
  }),
  MILLRACE_AUTH_API_KEYS_FILE: Type.Optional(Type.String({ minLength: 1, description: 'File with the hashes of API keys.' })),
  MILLRACE_AUTH_API_KEYS: Type.Optional(Type.Array(Type.String(), { maxItems: 1000, description: 'API keys as name:sha256:scope+scope.' })),
  ...pipelineSettings('MILLRACE_AUTH', authPipelines),
};

const schema = Type.Object(authSettings);

/** Whether the settings turn authentication on. */
export function isAuthOn(config: Static<typeof schema>): boolean {
  const { MILLRACE_AUTH_JWKS_URL: jwks, MILLRACE_AUTH_API_KEYS: list, MILLRACE_AUTH_API_KEYS_FILE: file } = config;
  return jwks !== undefined || list !== undefined || file !== undefined;
}

/**
 * Makes the options of authentication out of settings that `readConfig` has read.
 * @throws ConfigError when settings do not fit together, or the key file cannot be read or used.
 */
export function authFrom(
  config: Static<typeof schema>,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): AuthOptions {
  const problems: string[] = [];
  const jwt = jwtFrom(config, problems);
  const { MILLRACE_AUTH_API_KEYS: list, MILLRACE_AUTH_API_KEYS_FILE: path } = config;
  const apiKeys = [
    ...(list === undefined ? [] : collect(() => parseApiKeyList(list), problems)),
    ...(path === undefined ? [] : collect(() => keysOfFile(path, readFile), problems)),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  // An empty key file still means that authentication is wanted.
  return { ...(jwt === undefined ? {} : { jwt }), ...(list === undefined && path === undefined ? {} : { apiKeys }) };
}

function jwtFrom(config: Static<typeof schema>, problems: string[]): AuthOptions['jwt'] {
  const { MILLRACE_AUTH_JWKS_URL: jwksUrl, MILLRACE_AUTH_JWT_ISSUER: issuer, MILLRACE_AUTH_JWT_AUDIENCE: audience } = config;
  if (jwksUrl === undefined && issuer === undefined && audience === undefined) return undefined;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) {
    problems.push(
      'MILLRACE_AUTH_JWKS_URL, MILLRACE_AUTH_JWT_ISSUER and MILLRACE_AUTH_JWT_AUDIENCE belong together: set all three or none.',
    );
    return undefined;
  }
  const url = URL.parse(jwksUrl);
  if (url === null || (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, '')))) {
    problems.push('MILLRACE_AUTH_JWKS_URL must be an https URL: an attacker can replace keys that are fetched in plain text.');
  }
  const { jwks } = pipelineSpecs('MILLRACE_AUTH', authPipelines, config);
  problems.push(...pipelineProblems({ jwks }));
  return { jwksUrl, issuer, audience, clockToleranceSeconds: config.MILLRACE_AUTH_CLOCK_TOLERANCE_SECONDS, jwks };
}

function keysOfFile(path: string, readFile: (path: string) => string): ApiKey[] {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw new ConfigError([
      `MILLRACE_AUTH_API_KEYS_FILE ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    ]);
  }
  return parseApiKeyFile(text, path);
}

function collect<T>(read: () => T[], problems: string[]): T[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return [];
  }
}
