import type { SignInView } from '@millrace/contracts';
import { isLoopbackHostHeader } from '@millrace/runtime';

/** Settings of the console as in the environment. */
export interface ConsoleConfig {
  readonly QUERY_CONSOLE_OIDC_CLIENT_ID?: string;
  readonly QUERY_CONSOLE_OIDC_SCOPE: string;
  readonly QUERY_CONSOLE_OIDC_ORIGINS: readonly string[];
  readonly MILLRACE_AUTH_JWT_ISSUER?: string;
  readonly MILLRACE_AUTH_JWT_AUDIENCE?: string;
  readonly QUERY_CONSOLE_CHAOS_URL?: string;
}

/** How the console signs its users in, and where it attacks. */
export interface ConsoleSettings {
  readonly signIn: SignInView;
  /** Other origins to which the page may connect: those of the issuer and of the endpoint of attacks. */
  readonly origins: readonly string[];
  /** Origin of the endpoint of attacks. Absent outside of the chaos profile. */
  readonly chaosUrl?: string;
}

/** The settings of the console, from an environment without {@link consoleProblems}. */
export function consoleSettings(config: ConsoleConfig): ConsoleSettings {
  const { MILLRACE_AUTH_JWT_ISSUER: issuer, MILLRACE_AUTH_JWT_AUDIENCE: audience, QUERY_CONSOLE_OIDC_CLIENT_ID: clientId } = config;
  const chaosUrl = config.QUERY_CONSOLE_CHAOS_URL;
  const chaos = chaosUrl === undefined ? {} : { chaosUrl };
  const chaosOrigins = Object.values(chaos);
  if (clientId === undefined || issuer === undefined || audience === undefined) return { signIn: {}, origins: chaosOrigins, ...chaos };
  return {
    signIn: { oidc: { issuer, clientId, scope: config.QUERY_CONSOLE_OIDC_SCOPE, audience } },
    origins: [...new Set([new URL(issuer).origin, ...config.QUERY_CONSOLE_OIDC_ORIGINS, ...chaosOrigins])],
    ...chaos,
  };
}

/** The faults of the settings of the console, one sentence each. */
export function consoleProblems(config: ConsoleConfig): string[] {
  const { QUERY_CONSOLE_OIDC_CLIENT_ID: clientId, QUERY_CONSOLE_OIDC_ORIGINS: origins, MILLRACE_AUTH_JWT_ISSUER: issuer } = config;
  if (clientId === undefined) return origins.length === 0 ? [] : ['QUERY_CONSOLE_OIDC_ORIGINS needs QUERY_CONSOLE_OIDC_CLIENT_ID.'];
  if (issuer === undefined) return ['QUERY_CONSOLE_OIDC_CLIENT_ID needs MILLRACE_AUTH_JWT_ISSUER, the issuer of the client.'];
  const url = URL.parse(issuer);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHostHeader(url.host));
  return isSafe
    ? []
    : [
        'MILLRACE_AUTH_JWT_ISSUER must be an https URL for QUERY_CONSOLE_OIDC_CLIENT_ID: the console asks it for the endpoints of the issuer.',
      ];
}
