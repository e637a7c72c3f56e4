import type { AuditEvent, AuditReport } from '@millrace/contracts';
import { QueryError } from '../errors.ts';
import { unanswered } from '../unanswered.ts';

/** Time between two events, in milliseconds: often enough for a progress and for proxies that close silent connections. */
const everyMs = 1000;

/**
 * Runs an audit and yields its progress and its end as server-sent events.
 *
 * @param audit makes the report, and reports its progress
 * @param pause waits for a time in milliseconds
 */
export async function* auditEvents(
  audit: (onProgress: (detail: string) => void) => Promise<AuditReport>,
  pause: (ms: number) => Promise<unknown>,
): AsyncGenerator<string> {
  let detail = 'starting';
  const ended: Promise<AuditEvent> = audit((text) => {
    detail = text;
  }).then(
    (report) => ({ state: 'done', report }),
    (error: unknown) => {
      const failure = error instanceof QueryError ? error : unanswered(error, 'The audit did not end: S3 or the catalog does not answer.');
      return { state: 'failed', problem: failure.toProblem() };
    },
  );
  for (;;) {
    const end = await Promise.race([ended, pause(everyMs)]);
    const event: AuditEvent = isEvent(end) ? end : { state: 'running', detail };
    yield eventText(event);
    if (event.state !== 'running') return;
  }
}

function isEvent(value: unknown): value is AuditEvent {
  return typeof value === 'object' && value !== null && 'state' in value;
}

function eventText(event: AuditEvent): string {
  return `event: ${event.state}\ndata: ${JSON.stringify(event)}\n\n`;
}
