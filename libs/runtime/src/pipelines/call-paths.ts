import { attemptsMax, type PipelineSettings } from '@millrace/resilience';
import { type TInteger, Type } from 'typebox';
import { StartRefusedError } from '../errors.ts';

/** Returns the settings of a pipeline by its name. */
export type SettingsOf = (name: string) => PipelineSettings;

/** A layer that may retry: a pipeline by its name, a client below it or a queue above it. */
export type RetryLayer =
  | string
  | {
      /** Name of the layer, such as `BullMQ` or `kafkajs`. */
      readonly name: string;
      /** Maximum number of attempts, the first one included. A function if it depends on settings of pipelines, which may change. */
      readonly attemptsMax: number | ((settingsOf: SettingsOf) => number);
    };

/** One path from a request to a dependency. Every layer that retries multiplies the attempts. */
export interface CallPath {
  /** The request, such as `POST /v1/purchases`. */
  readonly request: string;
  /** Outermost first. */
  readonly layers: readonly RetryLayer[];
  /** Number of calls that one request makes on this path, each through all layers, ≥ 1. Default 1. */
  readonly calls?: number;
}

/** A {@link CallPath} with its number of attempts. */
export interface CountedPath {
  /** The request. */
  readonly request: string;
  /** The product as text, such as `kafka 3 × client 1`. */
  readonly product: string;
  /** Value of the product. */
  readonly attemptsMax: number;
  /** Names of the pipelines on the path that retry. */
  readonly retrying: readonly string[];
}

/**
 * Creates the setting of the limit. Spread it into the settings of an app.
 * @param limit Default of the setting. Default 12.
 */
export function attemptsSetting<P extends string>(prefix: P, limit = 12): Record<`${P}_ATTEMPTS_PER_REQUEST_MAX`, TInteger> {
  const options = {
    default: limit,
    minimum: 1,
    maximum: 1000,
    description: 'Maximum number of attempts that one request may cause at a dependency; above it, the service does not start',
  };
  return { [`${prefix}_ATTEMPTS_PER_REQUEST_MAX`]: Type.Integer(options) } as Record<`${P}_ATTEMPTS_PER_REQUEST_MAX`, TInteger>;
}

/** All paths from a request to a dependency, with a limit of the attempts per request. */
export class CallPaths {
  /**
   * @param paths All paths. A missing path is not counted.
   * @param attemptsPerRequestMax The limit. Default 12.
   */
  constructor(
    readonly paths: readonly CallPath[],
    readonly attemptsPerRequestMax = 12,
  ) {}

  /**
   * Counts the attempts of each path, the largest first.
   * @param settingsOf Settings of the pipelines.
   */
  count(settingsOf: SettingsOf): readonly CountedPath[] {
    return this.paths
      .map(({ request, layers, calls = 1 }) => {
        const factors = layers.map((layer) => {
          if (typeof layer === 'string') return { name: layer, attemptsMax: attemptsMax(settingsOf(layer)), pipeline: true };
          return {
            name: layer.name,
            attemptsMax: typeof layer.attemptsMax === 'number' ? layer.attemptsMax : layer.attemptsMax(settingsOf),
            pipeline: false,
          };
        });
        return {
          request,
          product: [...(calls === 1 ? [] : [`${calls} calls`]), ...factors.map((factor) => `${factor.name} ${factor.attemptsMax}`)].join(
            ' × ',
          ),
          attemptsMax: factors.reduce((product, factor) => product * factor.attemptsMax, calls),
          retrying: factors.filter((factor) => factor.pipeline && factor.attemptsMax > 1).map((factor) => factor.name),
        };
      })
      .toSorted((a, b) => b.attemptsMax - a.attemptsMax);
  }

  /** Returns a sentence that names the paths above the limit and their pipelines, or undefined without such a path. */
  problem(settingsOf: SettingsOf): string | undefined {
    const over = this.count(settingsOf).filter((path) => path.attemptsMax > this.attemptsPerRequestMax);
    if (over.length === 0) return undefined;
    const texts = over.map((path) => {
      const pipelines = path.retrying.length === 0 ? '' : `; pipelines ${path.retrying.join(', ')}`;
      return `${path.request} may cause ${path.attemptsMax} attempts (${path.product}${pipelines})`;
    });
    const remedy = 'Reduce the attempts of one of them, or raise ATTEMPTS_PER_REQUEST_MAX.';
    return `the limit is ${this.attemptsPerRequestMax} attempts for one request, but ${texts.join(', and ')}. ${remedy}`;
  }

  /** Log message with the largest number of attempts of one request and its path. */
  sentence(settingsOf: SettingsOf): string {
    const [largest] = this.count(settingsOf);
    if (largest === undefined) return 'No request causes a call to a dependency.';
    const path = `${largest.request} (${largest.product})`;
    const limit = `The limit is ${this.attemptsPerRequestMax}.`;
    return `One request causes at most ${largest.attemptsMax} attempts at a dependency: ${path}. ${limit}`;
  }

  /** @throws StartRefusedError when a path exceeds the limit */
  enforce(settingsOf: SettingsOf): void {
    const problem = this.problem(settingsOf);
    if (problem !== undefined) throw new StartRefusedError(problem);
  }
}
