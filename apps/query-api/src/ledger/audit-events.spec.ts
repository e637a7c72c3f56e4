import type { AuditReport } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { auditEvents } from './audit-events.ts';

const report = { verdict: 'complete' } as AuditReport;

async function allOf(events: AsyncIterable<string>): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of events) texts.push(text);
  return texts;
}

describe('auditEvents', () => {
  it('the progress comes before the report', async () => {
    const pauses = Promise.withResolvers<AuditReport>();
    const events = auditEvents(
      async (onProgress) => {
        onProgress('listing');
        return await pauses.promise;
      },
      async () => pauses.resolve(report),
    );
    expect(await allOf(events)).toEqual([
      'event: running\ndata: {"state":"running","detail":"listing"}\n\n',
      'event: done\ndata: {"state":"done","report":{"verdict":"complete"}}\n\n',
    ]);
  });

  it.each([
    [new QueryError('not-found', 'There is no such table.'), 'not-found', 'There is no such table.'],
    [new Error('socket hang up'), 'unavailable', 'The audit did not end: S3 or the catalog does not answer.'],
  ])('a failure is the last event, as a problem', async (error, name, detail) => {
    const never = new Promise<never>(() => undefined);
    const fail = async (): Promise<never> => {
      throw error;
    };
    const [text, ...rest] = await allOf(auditEvents(fail, async () => await never));
    expect(rest).toEqual([]);
    const data = JSON.parse(/^data: (.*)$/m.exec(text!)![1]!) as unknown;
    expect(data).toMatchObject({ state: 'failed', problem: { type: `urn:millrace:problem:${name}`, detail } });
  });
});
