import { validatorFor, type Violation } from '@millrace/contracts';
import {
  applyPatch,
  type Pipeline,
  type PipelinePatch,
  PipelineSettingsError,
  type PipelineSettings,
  type PipelineSnapshot,
  type RetryBudgetSpec,
} from '@millrace/resilience';
import { ProblemError } from '../../errors.ts';
import type { CountedPath, SettingsOf } from '../call-paths.ts';
import type { PipelineRegistry } from '../pipeline-registry.ts';
import { changeSchema, chaosRuleValidator, type PipelineChange } from './pipeline-change.ts';

/** A pipeline in the admin endpoint. */
export interface PipelineView {
  /** Name in the path `/admin/pipelines/<name>`. */
  readonly name: string;
  /** Name of the dependency that it calls. */
  readonly dependency: string;
  /** Settings in force with all defaults. */
  readonly settings: PipelineSettings;
  /** Current state and counters. */
  readonly snapshot: PipelineSnapshot;
}

/** All pipelines and the attempts per request. */
export interface PipelinesView {
  /** In the order of their names. */
  readonly pipelines: readonly PipelineView[];
  /** Present if the service declares its call paths. */
  readonly attemptsPerRequest?: { readonly limit: number; readonly paths: readonly CountedPath[] };
}

/** Reads and changes pipelines at run time. A change lasts until the process ends; set the environment for a permanent one. */
export class PipelineAdmin {
  readonly #registry: PipelineRegistry;

  constructor(registry: PipelineRegistry) {
    this.#registry = registry;
  }

  /** Lists all pipelines and the attempts per request with the current settings. */
  list(): PipelinesView {
    const paths = this.#registry.callPaths;
    return {
      pipelines: this.#registry.list().map(toView),
      ...(paths === undefined
        ? {}
        : {
            attemptsPerRequest: { limit: paths.attemptsPerRequestMax, paths: paths.count((name) => this.#registry.get(name).settings()) },
          }),
    };
  }

  /** @throws ProblemError `not-found` */
  one(name: string): PipelineView {
    return toView(this.#find(name));
  }

  /**
   * Applies a change completely or not at all.
   * @throws ProblemError `not-found`; `validation`, naming the fields; `forbidden` for chaos rules that the configuration does not allow
   */
  change(name: string, body: unknown): PipelineView {
    const pipeline = this.#find(name);
    const { mode, ...patch } = checkBody(pipeline.settings(), body);
    if (patch.chaos !== undefined && !pipeline.settings().chaos.allowed) {
      throw new ProblemError('forbidden', {
        detail: `The pipeline ${name} does not allow faults: its setting CHAOS_ALLOWED is false. Set it to true and restart the service.`,
      });
    }
    this.#checkRules(name, patch);
    if (Object.keys(patch).length > 0) update(pipeline, patch);
    if (patch.retry?.budget !== undefined) this.#updateBudget(pipeline, patch.retry.budget);
    if (mode === 'auto') pipeline.auto();
    else if (mode === 'forced-open') pipeline.forceOpen();
    else if (mode === 'forced-closed') pipeline.forceClosed();
    else if (mode === 'disabled') pipeline.disable();
    return toView(pipeline);
  }

  /** All pipelines of a dependency share its budget, so each of them must show the new settings. */
  #updateBudget(changed: Pipeline, budget: RetryBudgetSpec): void {
    for (const other of this.#registry.list()) {
      if (other !== changed && other.dependency === changed.dependency && other.settings().retry !== undefined)
        other.update({ retry: { budget } });
    }
  }

  #find(name: string): Pipeline {
    const pipeline = this.#registry.find(name);
    if (pipeline === undefined)
      throw new ProblemError('not-found', {
        detail: `Unknown pipeline. Registered pipelines: ${
          this.#registry
            .list()
            .map((one) => one.name)
            .join(', ') || '(none)'
        }.`,
      });
    return pipeline;
  }

  /** Rejects settings with which the service would not start. */
  #checkRules(changed: string, patch: PipelinePatch): void {
    const settingsAfter: SettingsOf = (name) => {
      const settings = this.#registry.get(name).settings();
      return name === changed ? applyPatch(settings, patch) : settings;
    };
    const attempts = this.#registry.callPaths?.problem(settingsAfter);
    const problems = [
      ...(attempts === undefined ? [] : [`The change would cause too many attempts: ${attempts}`]),
      ...this.#registry.rules.flatMap((rule) => rule(settingsAfter)),
    ];
    if (problems.length > 0) throw new ProblemError('validation', { detail: problems.join(' ') });
  }
}

const connectMsProblem = 'cannot change at run time: set …_CONNECT_TIMEOUT_MS and restart the service';

function toView(pipeline: Pipeline): PipelineView {
  return { name: pipeline.name, dependency: pipeline.dependency, settings: pipeline.settings(), snapshot: pipeline.snapshot() };
}

function checkBody(settings: PipelineSettings, body: unknown): PipelineChange {
  const violations = validatorFor(changeSchema(settings))
    .violations(body)
    .map((violation) => (violation.field === 'timeout.connectMs' ? { field: violation.field, message: connectMsProblem } : violation));
  if (violations.length > 0) throw invalid(violations);
  const change = body as PipelineChange;
  const wrongRules = (change.chaos?.rules ?? []).flatMap((rule, index) =>
    chaosRuleValidator(rule.kind)
      .violations(rule)
      .map((violation) => ({ ...violation, field: `chaos.rules[${index}]${violation.field === '' ? '' : `.${violation.field}`}` })),
  );
  if (wrongRules.length > 0) throw invalid(wrongRules);
  return change;
}

function update(pipeline: Pipeline, patch: PipelinePatch): void {
  try {
    pipeline.update(patch);
  } catch (error) {
    if (!(error instanceof PipelineSettingsError)) throw error;
    throw new ProblemError('validation', { detail: error.problems.join(' '), cause: error });
  }
}

function invalid(errors: readonly Violation[]): ProblemError {
  return new ProblemError('validation', {
    detail: errors.map(({ field, message }) => `${field === '' ? 'The body' : field} ${message}`).join('; '),
    errors,
  });
}
