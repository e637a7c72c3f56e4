import type { PipelineSpec } from '@millrace/resilience';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ProblemError, StartRefusedError } from '../errors.ts';
import { Metrics } from '../metrics/metrics.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { type ApiKey, ApiKeys } from './api-keys.ts';
import { Authenticator } from './authenticator.ts';
import { JwksCache } from './jwks-cache.ts';
import { jwksThrough } from './jwks-pipeline.ts';
import { type JwtOptions, JwtVerifier } from './jwt-verifier.ts';
import { isLoopback, isLoopbackHostHeader } from './loopback.ts';
import { isOpenRoute } from './open-route.ts';
import { hasOwnCredentials } from './own-credentials.ts';
import { anonymous, setPrincipal } from './principal.ts';
import { ScopeGuard } from './require-scope.ts';

/** Paths without credentials: supervisors and browsers have none. They show the state and the public schema of the service. */
export const openPaths: ReadonlySet<string> = new Set(['/health/live', '/health/ready', '/openapi.json', '/docs']);

/** Source of the keys of tokens. */
export interface JwksOptions {
  /** URL of the issuer's key set. */
  readonly jwksUrl: string;
  /** The pipeline `jwks` around each fetch of it, with its limits. Default: that of the settings when none is set. */
  readonly jwks?: PipelineSpec;
}

/** Accepted credentials. Without `jwt` and `apiKeys` authentication is off, which is allowed for a loopback listener only. */
export interface AuthOptions {
  /** Bearer tokens, checked against the issuer's published keys. Default: no token is accepted. */
  readonly jwt?: JwksOptions & JwtOptions;
  /** Keys that are accepted. Default: none. */
  readonly apiKeys?: readonly ApiKey[];
}

/**
 * Requires authentication for every path but {@link openPaths} and the routes with `OwnCredentials` or `OpenRoute`, and the scopes of each
 * route.
 * @throws StartRefusedError when authentication is off and others than this machine can reach the listener.
 */
export function protect(app: NestFastifyApplication, auth: AuthOptions, host: string): void {
  const on = auth.jwt !== undefined || auth.apiKeys !== undefined;
  if (!on && !isLoopback(host)) {
    throw new StartRefusedError(
      `it would listen on ${host}, which other machines can reach, without authentication. Set MILLRACE_AUTH_JWKS_URL or MILLRACE_AUTH_API_KEYS_FILE, or listen on 127.0.0.1.`,
    );
  }
  const rejections = app.get(Metrics).counter({
    name: 'millrace_auth_rejections_total',
    help: 'Requests refused for their credentials, by problem.',
    labelNames: ['problem'],
  });
  const fastify = app.getHttpAdapter().getInstance();
  const count = (error: unknown): unknown => {
    if (error instanceof ProblemError) rejections.inc({ problem: error.code });
    return error;
  };
  if (on) {
    const authenticator = authenticatorOf(auth, app.get(PipelineRegistry));
    fastify.addHook('onRequest', async (request) => {
      if (openPaths.has(request.routeOptions.url ?? '') || hasOwnCredentials(request) || isOpenRoute(request)) return;
      try {
        setPrincipal(request, await authenticator.authenticate(request.headers.authorization));
      } catch (error) {
        throw count(error);
      }
    });
    app.useGlobalGuards(new ScopeGuard());
  } else {
    // With authentication off, a web page whose name has been pointed at 127.0.0.1 (DNS rebinding) is still not this machine's user.
    fastify.addHook('onRequest', (request, _reply, done) => {
      // Only an HTTP/1.0 request gets here without a Host header, and browsers do not use HTTP/1.0.
      if (request.headers.host === undefined || isLoopbackHostHeader(request.headers.host)) {
        setPrincipal(request, anonymous);
        done();
      } else
        done(
          count(
            new ProblemError('forbidden', { detail: 'Authentication is off, so only requests to a loopback name are served.' }),
          ) as Error,
        );
    });
  }
}

function authenticatorOf({ jwt, apiKeys = [] }: AuthOptions, registry: PipelineRegistry): Authenticator {
  const verifier = jwt && new JwtVerifier(jwt, new JwksCache({ fetchJwks: () => jwksThrough(registry, jwt.jwksUrl) }).keyFor);
  return new Authenticator(verifier, new ApiKeys(apiKeys));
}
