import 'reflect-metadata';
import { createPipeline } from '@millrace/resilience';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { CallLimits, type Limits, UsePipeline } from './use-pipeline.ts';

@Injectable()
class Shelf {
  readonly seen: unknown[][] = [];

  @UsePipeline('shelf', { idempotent: true })
  async put(book: string, place: number | undefined, @CallLimits() limits: Limits = {}): Promise<string> {
    this.seen.push([book, place, limits.signal instanceof AbortSignal, limits.attempt]);
    if (limits.attempt === 0) throw new Error('once');
    return book;
  }

  @UsePipeline('shelf', { idempotent: false })
  async burn(): Promise<void> {
    this.seen.push(['burn']);
    throw new Error('no');
  }

  @UsePipeline('cellar', { idempotent: false })
  async store(): Promise<void> {}
}

const registry = new PipelineRegistry();
registry.register(createPipeline({ name: 'shelf', retry: { attemptsMax: 2, baseMs: 1, waitMsMax: 1 } }));

@Module({ providers: [Shelf, { provide: PipelineRegistry, useValue: registry }] })
class ShelfModule {}

async function shelf(): Promise<Shelf> {
  return (await NestFactory.createApplicationContext(ShelfModule, { logger: false })).get(Shelf);
}

describe('@UsePipeline', () => {
  it('the method gets its arguments, its this and the limits of each attempt', async () => {
    const made = await shelf();
    expect(await made.put('Orlando', 3)).toBe('Orlando');
    expect(await made.put('Orlando', undefined, { deadline: Date.now() + 60_000 })).toBe('Orlando');
    expect(made.seen).toEqual([
      ['Orlando', 3, true, 0],
      ['Orlando', 3, true, 1],
      ['Orlando', undefined, true, 0],
      ['Orlando', undefined, true, 1],
    ]);
  });

  it('the method does not start for a caller that has aborted', async () => {
    const made = await shelf();
    await expect(made.put('Orlando', 3, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    expect(made.seen).toEqual([]);
  });

  it('a method that is not idempotent runs once', async () => {
    const made = await shelf();
    await expect(made.burn()).rejects.toThrow('no');
    expect(made.seen).toEqual([['burn']]);
  });

  it('the error names the missing pipeline or the missing Nest injector', async () => {
    const made = await shelf();
    await expect(made.store()).rejects.toThrow('Unknown pipeline "cellar". Registered pipelines: shelf.');
    await expect(new Shelf().burn()).rejects.toThrow('so Nest must create its object');
  });
});
