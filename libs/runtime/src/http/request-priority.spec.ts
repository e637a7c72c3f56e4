import type { Priority } from '@millrace/resilience';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { priorityHeader, priorityOf } from './request-priority.ts';

const of = (route: Priority | undefined, asked?: string | string[]): Priority =>
  priorityOf({ routeOptions: { config: { millracePriority: route } }, headers: { [priorityHeader]: asked } } as unknown as FastifyRequest);

describe('request priority', () => {
  it('a request has the priority of its route, normal by default', () => {
    expect(of(undefined)).toBe('normal');
    expect(of('critical')).toBe('critical');
  });

  it('a caller can lower the priority of its request but not raise it', () => {
    expect(of('critical', 'low')).toBe('low');
    expect(of('normal', 'critical')).toBe('normal');
    expect(of(undefined, 'low')).toBe('low');
  });

  it.each(['urgent', '', ['low', 'high']])('the invalid priority %j is refused', (asked) => {
    expect(() => of('normal', asked)).toThrow(expect.objectContaining({ code: 'validation' }) as Error);
  });
});
