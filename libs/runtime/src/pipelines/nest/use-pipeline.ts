import type { AttemptContext, CallOptions, QueueEntry } from '@millrace/resilience';
import { Inject } from '@nestjs/common';
import 'reflect-metadata';
import { PipelineRegistry } from '../pipeline-registry.ts';

/** Limits of a call. Inside a method with {@link UsePipeline}, they are the signal and the deadline of the attempt. */
export type Limits = Pick<CallOptions, 'signal' | 'deadline' | 'priority'> & Partial<Pick<AttemptContext, 'attempt'>>;

/** Options of {@link UsePipeline}. */
export interface UsePipelineOptions<A extends readonly unknown[]> {
  /** Whether running the method twice has the same effect as running it once. Only idempotent methods are retried. */
  readonly idempotent: boolean;
  /** Returns the key for cached and shared answers. Default: none, and the call does not use the cache. */
  readonly key?: (...args: A) => string;
  /** Returns the entries for the `queue` fallback. Default: none, and the call skips that fallback. */
  readonly entries?: (...args: A) => readonly QueueEntry[];
}

const limitsIndex = Symbol('millrace:limits-index');
const registryKey = Symbol('millrace:pipeline-registry');

/**
 * Marks the parameter with the limits: from the caller and then of each attempt. Pass on its signal, or slow work continues after its
 * timeout.
 */
export function CallLimits(): ParameterDecorator {
  return (target, method, index) => {
    if (method !== undefined) Reflect.defineMetadata(limitsIndex, index, target, method);
  };
}

/**
 * Runs every call of an async method through the pipeline with this name. The class must be a Nest provider: each call looks up the
 * pipeline in the registry. If the pipeline has fallbacks, the return type of the method must include their values.
 *
 * @example
 * ```ts
 * @UsePipeline('covers', { idempotent: true })
 * async cover(isbn: string, @CallLimits() limits: Limits = {}): Promise<Cover | undefined> { … fetch(url, { signal: limits.signal }) … }
 * ```
 *
 * @throws TypeError at the call when no pipeline has that name or Nest did not create the object
 */
export function UsePipeline<A extends readonly unknown[]>(name: string, options: UsePipelineOptions<A>) {
  return <R>(target: object, method: string | symbol, descriptor: TypedPropertyDescriptor<(...args: [...A]) => Promise<R>>): void => {
    const work = descriptor.value;
    if (work === undefined) throw new TypeError('@UsePipeline works only on methods.');
    Inject(PipelineRegistry)(target, registryKey);
    const index = Reflect.getMetadata(limitsIndex, target, method) as number | undefined;

    descriptor.value = async function (this: { [registryKey]?: PipelineRegistry }, ...args: [...A]): Promise<R> {
      const registry = this[registryKey];
      if (registry === undefined) throw new TypeError(`${String(method)} uses the pipeline "${name}", so Nest must create its object.`);
      const { signal, deadline, priority } = ((index === undefined ? undefined : args[index]) ?? {}) as Limits;
      return (await registry
        .get(name)
        .execute(async (attempt) => await work.apply(this, index === undefined ? args : withAt(args, index, toLimits(attempt, priority))), {
          signal,
          deadline,
          priority,
          idempotent: options.idempotent,
          key: options.key?.(...args),
          entries: options.entries?.(...args),
        })) as R;
    };
  };
}

/** Reads each property by name, because an attempt creates its signal on first use. */
function toLimits({ signal, deadline, attempt }: AttemptContext, priority: Limits['priority']): Limits {
  return { signal, deadline, attempt, priority };
}

function withAt<A extends readonly unknown[]>(args: [...A], index: number, value: unknown): [...A] {
  const copy: unknown[] = [...args];
  while (copy.length < index) copy.push(undefined);
  copy[index] = value;
  return copy as [...A];
}
