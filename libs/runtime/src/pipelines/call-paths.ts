import { attemptsMax, type PipelineSettings } from '@millrace/resilience';
import { type TInteger, Type } from 'typebox';
import { StartRefusedError } from '../errors.ts';

/** Looks the settings of a pipeline up by its name. */
export type SettingsOf = (name: string) => PipelineSettings;

/** One of a pipeline's retries, by its name, or those of a client underneath or a queue above. */
export type RetryLayer =
  | string
  | {
      /** Who tries again: `BullMQ`, `kafkajs`. */
      readonly name: string;
      /** How often it tries in all, the first attempt included; a function where that follows from settings of pipelines, which may change. */
      readonly attemptsMax: number | ((settingsOf: SettingsOf) => number);
    };

/** One way from a request to a dependency. Every layer that tries again multiplies the attempts. */
export interface CallPath {
  /** What causes it: `POST /v1/purchases`. */
  readonly request: string;
  /** Outermost first. */
  readonly layers: readonly RetryLayer[];
  /** Calls that one request makes along this path, each with all these layers, ≥ 1. Default 1. */
  readonly calls?: number;
}

/** A {@link CallPath} with its attempts counted. */
export interface CountedPath {
  /** What causes it. */
  readonly request: string;
  /** `kafka 3 × client 1` */
  readonly product: string;
  /** The product. */
  readonly attemptsMax: number;
  /** Names of the pipelines on the path that try more than once. */
  readonly retrying: readonly string[];
}

/**
 * Setting of the limit, to be spread into an app's settings.
 * @param limit Its default. Default 12.
 */
export function attemptsSetting<P extends string>(prefix: P, limit = 12): Record<`${P}_ATTEMPTS_PER_REQUEST_MAX`, TInteger> {
  const options = { default: limit, minimum: 1, maximum: 1000, description: 'Most attempts that one request may cause at a dependency; the service refuses to start when its retries multiply to more' };
  return { [`${prefix}_ATTEMPTS_PER_REQUEST_MAX`]: Type.Integer(options) } as Record<`${P}_ATTEMPTS_PER_REQUEST_MAX`, TInteger>;
}

/** Every way from a request to a dependency, and how many attempts one request may cause. */
export class CallPaths {
  /**
   * @param paths All of them; a path that is missing here is not counted.
   * @param attemptsPerRequestMax The limit. Default 12.
   */
  constructor(
    readonly paths: readonly CallPath[],
    readonly attemptsPerRequestMax = 12,
  ) {}

  /**
   * Counts the attempts of each path, the largest first.
   * @param settingsOf The settings to count with.
   */
  count(settingsOf: SettingsOf): readonly CountedPath[] {
    return this.paths
      .map(({ request, layers, calls = 1 }) => {
        const factors = layers.map((layer) => {
          if (typeof layer === 'string') return { name: layer, attemptsMax: attemptsMax(settingsOf(layer)), pipeline: true };
          return { name: layer.name, attemptsMax: typeof layer.attemptsMax === 'number' ? layer.attemptsMax : layer.attemptsMax(settingsOf), pipeline: false };
        });
        return {
          request,
          product: [...(calls === 1 ? [] : [`${calls} calls`]), ...factors.map((factor) => `${factor.name} ${factor.attemptsMax}`)].join(' × '),
          attemptsMax: factors.reduce((product, factor) => product * factor.attemptsMax, calls),
          retrying: factors.filter((factor) => factor.pipeline && factor.attemptsMax > 1).map((factor) => factor.name),
        };
      })
      .toSorted((a, b) => b.attemptsMax - a.attemptsMax);
  }

  /** What is wrong with these settings: undefined, or a sentence that names the paths over the limit and their pipelines. */
  problem(settingsOf: SettingsOf): string | undefined {
    const over = this.count(settingsOf).filter((path) => path.attemptsMax > this.attemptsPerRequestMax);
    if (over.length === 0) return undefined;
    const ways = over.map((path) => `${path.request} may cause ${path.attemptsMax} attempts (${path.product}${path.retrying.length === 0 ? '' : `; pipelines ${path.retrying.join(', ')}`})`);
    return `the limit is ${this.attemptsPerRequestMax} attempts for one request, but ${ways.join(', and ')}. Let one of them try less often, or raise ATTEMPTS_PER_REQUEST_MAX.`;
  }

  /** One line for the log: the largest number of attempts that one request may cause, and where. */
  sentence(settingsOf: SettingsOf): string {
    const [largest] = this.count(settingsOf);
    if (largest === undefined) return 'No request causes a call to a dependency.';
    return `One request causes at most ${largest.attemptsMax} attempts at a dependency: ${largest.request} (${largest.product}). The limit is ${this.attemptsPerRequestMax}.`;
  }

  /** @throws StartRefusedError when a path is over the limit */
  enforce(settingsOf: SettingsOf): void {
    const problem = this.problem(settingsOf);
    if (problem !== undefined) throw new StartRefusedError(problem);
  }
}
