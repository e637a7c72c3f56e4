import {
  createPipeline,
  createRetryBudget,
  type LoadSource,
  type Pipeline,
  type PipelineSettings,
  PipelineSettingsError,
  type PipelineSpec,
  type RetryBudget,
  retryBudgetDefaults,
} from '@millrace/resilience';
import type { Logger } from 'pino';
import { ConfigError } from '../errors.ts';
import { type CallPath, CallPaths, type SettingsOf } from './call-paths.ts';
import type { PipelineRegistry, PipelineRule, RemedyOf } from './pipeline-registry.ts';
import { chaosAllowed } from './settings/pipeline-settings.ts';

/** The pipelines of a process. */
export interface PipelinesOptions {
  /** Specs by name. Pipelines of one dependency must declare the same retry budget. */
  readonly specs: Readonly<Record<string, PipelineSpec>>;
  /** All paths from a request to a dependency. Default: no path is counted. */
  readonly callPaths?: readonly CallPath[];
  /** Maximum number of attempts of one request, ≥ 1. Above it, the service does not start. Default 12. */
  readonly attemptsPerRequestMax?: number;
  /** A rule that must hold at the start and after every change at run time. Default: none. */
  readonly rule?: PipelineRule;
  /** Returns the remedy for an error that does not pass by itself. Such errors are logged once a minute. Default: no error has one. */
  readonly remedyOf?: RemedyOf;
}

/** Dependencies of {@link makePipelines}. */
export interface MakePipelinesDeps {
  /** Registers the pipelines for metrics, health and draining. */
  readonly registry: PipelineRegistry;
  /** Load of the process, for pipelines that shed. */
  readonly load: LoadSource;
  /** Logs the attempts per request and the pipelines that allow chaos. */
  readonly logger: Logger;
}

/**
 * Creates pipelines and registers them. Pipelines of one dependency share one retry budget, because it limits the load on the
 * dependency. Logs the maximum number of attempts of one request.
 *
 * @throws ConfigError naming every contradictory setting
 * @throws StartRefusedError when one request may cause more attempts than the limit
 */
export function makePipelines(
  { specs, callPaths, attemptsPerRequestMax, rule, remedyOf }: PipelinesOptions,
  { registry, load, logger }: MakePipelinesDeps,
): readonly Pipeline[] {
  const problems = pipelineProblems(specs, rule);
  if (problems.length > 0) throw new ConfigError(problems);
  const budgets = new Map<string, RetryBudget>();
  const made = Object.values(specs).map((spec) => registry.register(createPipeline(spec, { load, ...budgetOf(spec, budgets) })));
  if (callPaths !== undefined) {
    const paths = new CallPaths([...(registry.callPaths?.paths ?? []), ...callPaths], attemptsPerRequestMax);
    const settingsOf: SettingsOf = (name) => registry.get(name).settings();
    paths.enforce(settingsOf);
    registry.callPaths = paths;
    logger.info({ paths: paths.count(settingsOf) }, paths.sentence(settingsOf));
  }
  if (rule !== undefined) registry.rules.push(rule);
  if (remedyOf !== undefined) registry.remedyOf = remedyOf;
  const chaotic = chaosAllowed(specs);
  if (chaotic.length > 0)
    logger.warn({ pipelines: chaotic }, `Operators may inject faults into ${chaotic.join(', ')}: the setting CHAOS_ALLOWED is true.`);
  return made;
}

/**
 * Lists the problems of specs, one sentence each.
 * @param rule Checked only if every pipeline is valid.
 */
export function pipelineProblems(specs: Readonly<Record<string, PipelineSpec>>, rule?: PipelineRule): readonly string[] {
  const settings = new Map<string, PipelineSettings>();
  const ofOne = Object.values(specs).flatMap((spec) => {
    try {
      const pipeline = createPipeline(spec, { load: idle });
      settings.set(spec.name, pipeline.settings());
      pipeline.close();
      return [];
    } catch (error) {
      if (error instanceof PipelineSettingsError) return error.problems.map((problem) => `Pipeline ${spec.name}: ${problem}`);
      throw error;
    }
  });
  const ofAll = ofOne.length > 0 ? [] : (rule?.((name) => settings.get(name)!) ?? []);
  return [...ofOne, ...budgetProblems(Object.values(specs)), ...ofAll];
}

/** A dependency has one budget, so two different settings are a contradiction. */
function budgetProblems(specs: readonly PipelineSpec[]): readonly string[] {
  const retrying = specs.filter(({ retry }) => retry !== undefined);
  return retrying.flatMap((spec) => {
    const first = retrying.find((other) => dependencyOf(other) === dependencyOf(spec))!;
    const fields = (['ratio', 'perSecondMin', 'windowSeconds'] as const).filter(
      (field) => budgetSettingsOf(first)[field] !== budgetSettingsOf(spec)[field],
    );
    return fields.map((field) => {
      const values = `${budgetSettingsOf(first)[field]} for the first and ${budgetSettingsOf(spec)[field]} for the second`;
      const subject = `Pipelines ${first.name} and ${spec.name} share the retry budget of ${dependencyOf(spec)}`;
      return `${subject}, but retry.budget.${field} is ${values}: use the same value.`;
    });
  });
}

function dependencyOf({ name, dependency = name }: PipelineSpec): string {
  return dependency;
}

function budgetSettingsOf({ retry }: PipelineSpec): typeof retryBudgetDefaults {
  return { ...retryBudgetDefaults, ...retry?.budget };
}

const idle: LoadSource = { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 };

function budgetOf(spec: PipelineSpec, budgets: Map<string, RetryBudget>): { retryBudget?: RetryBudget } {
  if (spec.retry === undefined) return {};
  const budget = budgets.get(dependencyOf(spec)) ?? createRetryBudget(budgetSettingsOf(spec));
  budgets.set(dependencyOf(spec), budget);
  return { retryBudget: budget };
}
