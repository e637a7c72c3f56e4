import type { AttemptContext, CallOptions, QueueEntry } from '@millrace/resilience';
import { Inject } from '@nestjs/common';
import 'reflect-metadata';
import { PipelineRegistry } from '../pipeline-registry.ts';

/** What a caller's side sets to a call; inside a method under {@link UsePipeline} it is the attempt's own signal and deadline. */
export type Limits = Pick<CallOptions, 'signal' | 'deadline' | 'priority'> & Partial<Pick<AttemptContext, 'attempt'>>;

/** How calls of a method go through a pipeline. */
export interface UsePipelineOptions<A extends readonly unknown[]> {
  /** Whether doing the work twice is the same as doing it once. Only then is it tried again. */
  readonly idempotent: boolean;
  /** What a call is about: identifies answers in the cache and calls that can share one. Default: none, and the call passes the cache by. */
  readonly key?: (...args: A) => string;
  /** What the `queue` fallback takes. Default: nothing, and the call passes that fallback by. */
  readonly entry?: (...args: A) => QueueEntry;
}

const limitsIndex = Symbol('millrace:limits-index');
const registryKey = Symbol('millrace:pipeline-registry');

/** Marks the parameter through which limits come in from the caller and go out to each attempt. Pass its signal on, or work that takes too long goes on behind its caller's back. */
export function CallLimits(): ParameterDecorator {
  return (target, method, index) => {
    if (method !== undefined) Reflect.defineMetadata(limitsIndex, index, target, method);
  };
}

/**
 * Sends every call of an async method through the pipeline of this name. The class must be a provider of Nest: the pipeline is found in the
 * process's registry when the method is called. Where the pipeline has fallbacks, the method's own type must admit their values.
 *
 * ```ts
 * @UsePipeline('covers', { idempotent: true })
 * async cover(isbn: string, @CallLimits() limits: Limits = {}): Promise<Cover | undefined> { … fetch(url, { signal: limits.signal }) … }
 * ```
 *
 * @throws TypeError when called and there is no pipeline of that name, or the object was not made by Nest
 */
export function UsePipeline<A extends readonly unknown[]>(name: string, options: UsePipelineOptions<A>) {
  return <R>(target: object, method: string | symbol, descriptor: TypedPropertyDescriptor<(...args: [...A]) => Promise<R>>): void => {
    const work = descriptor.value;
    if (work === undefined) throw new TypeError('@UsePipeline is for methods.');
    Inject(PipelineRegistry)(target, registryKey);
    const index = Reflect.getMetadata(limitsIndex, target, method) as number | undefined;

    descriptor.value = async function (this: { [registryKey]?: PipelineRegistry }, ...args: [...A]): Promise<R> {
      const registry = this[registryKey];
      if (registry === undefined) throw new TypeError(`${String(method)} goes through the pipeline "${name}", so its object must be made by Nest.`);
      const { signal, deadline, priority } = ((index === undefined ? undefined : args[index]) ?? {}) as Limits;
      return (await registry.get(name).execute(async (attempt) => await work.apply(this, index === undefined ? args : withAt(args, index, limitsOf(attempt, priority))), {
        signal,
        deadline,
        priority,
        idempotent: options.idempotent,
        key: options.key?.(...args),
        entry: options.entry?.(...args),
      })) as R;
    };
  };
}

/** By name, since an attempt makes its signal only when it is asked for. */
function limitsOf({ signal, deadline, attempt }: AttemptContext, priority: Limits['priority']): Limits {
  return { signal, deadline, attempt, priority };
}

function withAt<A extends readonly unknown[]>(args: [...A], index: number, value: unknown): [...A] {
  const copy: unknown[] = [...args];
  while (copy.length < index) copy.push(undefined);
  copy[index] = value;
  return copy as [...A];
}
