export type { ApiKey } from './auth/api-keys.ts';
export { authFrom, authPrefix, authSettings, isAuthOn } from './auth/auth-settings.ts';
export { isLoopbackHostHeader } from './auth/loopback.ts';
export { OpenRoute } from './auth/open-route.ts';
export { OwnCredentials } from './auth/own-credentials.ts';
export { type Principal, type PrincipalId, anonymous, idOfPrincipal, principalKey, principalOf, samePrincipal } from './auth/principal.ts';
export type { AuthOptions } from './auth/protect.ts';
export { RequireScope } from './auth/require-scope.ts';
export { type Scope, scopes } from './auth/scope.ts';
export { type ReadConfigOptions, readConfig } from './config/read-config.ts';
export { ConfigError, type ProblemDetails, ProblemError, type ProblemSource, StartRefusedError } from './errors.ts';
export { runtimeOperations } from './docs/runtime-operations.ts';
export { type HealthCheck, HealthRegistry } from './health/health-registry.ts';
export type { DependencyHealth, Readiness } from './health/readiness.ts';
export { idempotencyKeyOf } from './http/idempotency-key.ts';
export type { LargeBodies } from './http/large-bodies.ts';
export type { Route } from './http/route-table.ts';
export { problemOfRejection } from './http/problem-of-error.ts';
export { RoutePriority } from './http/request-priority.ts';
export { deadlineHeaders, deadlineOf, type WorkOfRequest, workOfRequest } from './http/work-of-request.ts';
export { uuidV8 } from './ids/uuid-v8.ts';
export { ProcessLoad, type ProcessLoadOptions } from './load/process-load.ts';
export { type CreateLoggerOptions, type LogLevel, createLogger } from './logging/create-logger.ts';
export { logSettings } from './logging/log-settings.ts';
export { FullForecast } from './metrics/full-forecast.ts';
export { Metrics } from './metrics/metrics.ts';
export { type CallPath, CallPaths, type CountedPath, type RetryLayer, type SettingsOf, attemptsSetting } from './pipelines/call-paths.ts';
export { type MakePipelinesDeps, type PipelinesOptions, makePipelines, pipelineProblems } from './pipelines/make-pipelines.ts';
export { InjectPipeline, pipelineToken } from './pipelines/nest/pipeline-token.ts';
export { type PipelinesFactory, PipelinesModule } from './pipelines/nest/pipelines-module.ts';
export { CallLimits, type Limits, UsePipeline, type UsePipelineOptions } from './pipelines/nest/use-pipeline.ts';
export { type PipelineObserver, PipelineRegistry, type PipelineRule } from './pipelines/pipeline-registry.ts';
export {
  type NamedDefaults,
  type NamedSpecs,
  type PipelineDefaults,
  pipelineSettings,
  pipelineSpecs,
} from './pipelines/settings/pipeline-settings.ts';
export { drainPrefix, drainSettings } from './service/drain-settings.ts';
export { Lifecycle } from './service/lifecycle.ts';
export { exitCodes, runMain, runService } from './service/run-service.ts';
export { RuntimeModule } from './service/runtime-module.ts';
export { type RunningService, type ServiceOptions, startService } from './service/start-service.ts';
export { LOGGER } from './service/tokens.ts';
export { below, endFailed, parentOf, spanContextOf, traceparentOfSpan } from './tracing/trace-context.ts';
export { traceparentOfRequest } from './tracing/trace-requests.ts';
export { type Tracing, TRACING } from './tracing/tracing.ts';
export { isAlive, processTree, startOf } from './process-life.mjs';
