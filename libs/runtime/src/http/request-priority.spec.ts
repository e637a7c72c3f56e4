import type { Priority } from '@millrace/resilience';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { priorityHeader, priorityOf } from './request-priority.ts';

const of = (route: Priority | undefined, asked?: string | string[]): Priority =>
  priorityOf({ routeOptions: { config: { millracePriority: route } }, headers: { [priorityHeader]: asked } } as unknown as FastifyRequest);

describe('the priority of a request', () => {
  it('is its route’s, normal where that says nothing', () => {
    expect(of(undefined)).toBe('normal');
    expect(of('critical')).toBe('critical');
  });

  it('can be lowered by the caller and not raised', () => {
    expect(of('critical', 'low')).toBe('low');
    expect(of('normal', 'critical')).toBe('normal');
    expect(of(undefined, 'low')).toBe('low');
  });

  it.each(['urgent', '', ['low', 'high']])('is refused as %j', (asked) => {
    expect(() => of('normal', asked)).toThrow(expect.objectContaining({ code: 'validation' }) as Error);
  });
});
