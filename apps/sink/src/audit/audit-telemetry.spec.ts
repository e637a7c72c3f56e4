import type { AuditReport, LaneAudit } from '@millrace/lake';
import { createLogger, Metrics } from '@millrace/runtime';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { auditTelemetry } from './audit-telemetry.ts';

const lane: LaneAudit = {
  topic: 't',
  partition: 0,
  entries: 2,
  spanned: 100,
  rows: 90,
  rejected: 4,
  dropped: 3,
  absent: 2,
  lost: 0,
  gap: 1,
  unlanded: 7,
  files: 2,
  bytes: 10,
  checkpointTo: 0,
  filesRead: 2,
};
const complete: AuditReport = {
  v: 1,
  table: 'purchases',
  verdict: 'complete',
  at: '',
  tookMs: 1500,
  deep: false,
  lanes: [lane],
  losses: [],
  lostOffsets: 0,
  faults: [],
  faultCount: 0,
};

it('the telemetry exports nothing before the first audit, and never calls an empty table complete', async () => {
  const metrics = new Metrics('sink');
  const observer = auditTelemetry(createLogger({ name: 'sink', level: 'error' }), metrics, () => 0, true);
  expect(await metrics.text()).not.toMatch(/^millrace_audit_complete\{/m);
  observer.finished({ ...complete, lanes: [] });
  expect(await metrics.text()).not.toMatch(/^millrace_audit_complete\{/m);
  observer.finished(complete);
  observer.finished({ ...complete, lanes: [] });
  expect(await metrics.text()).toMatch(/^millrace_audit_complete\{.*\} 0$/m);
});

it('the telemetry exports verdict, missing and lost offsets, and the age of the verdict', async () => {
  const metrics = new Metrics('sink');
  let now = 1000;
  const observer = auditTelemetry(createLogger({ name: 'sink', level: 'error' }), metrics, () => now, true);
  observer.finished(complete);
  now = 31_000;
  const value = async (name: string): Promise<number> =>
    Number(new RegExp(`^millrace_audit_${name}\\{.*\\} (\\S+)$`, 'm').exec(await metrics.text())?.[1]);
  expect([
    await value('complete'),
    await value('missing_offsets'),
    await value('lost_offsets'),
    await value('age_seconds'),
    await value('duration_seconds'),
  ]).toEqual([1, 0, 0, 30, 1.5]);

  observer.finished({
    ...complete,
    verdict: 'losses',
    lostOffsets: 5,
    lanes: [{ ...lane, rows: 85, lost: 5 }],
    losses: [{ kind: 'by-hand', what: 'A file was deleted.', partition: 0, offsets: 5 }],
  });
  expect([await value('complete'), await value('missing_offsets'), await value('lost_offsets')]).toEqual([0, 0, 5]);
  observer.finished({ ...complete, verdict: 'faulty', lanes: [{ ...lane, rows: 80 }], faultCount: 2 });
  observer.failed('timeout', new Error('late'));
  expect([await value('complete'), await value('missing_offsets'), await value('faults')]).toEqual([0, 10, 2]);
});

/** Whether the expression of `MillraceAuditOld` in docker/prometheus, `min(metric) > seconds`, is true for an exposition. */
function auditIsOld(text: string): boolean {
  const rules = readFileSync(new URL('../../../../docker/prometheus/rules.yaml', import.meta.url), 'utf8');
  const [, metric, seconds] = /alert: MillraceAuditOld\n\s+expr: min\((\w+)\) > (\d+)\n/.exec(rules)!;
  const found = [...text.matchAll(new RegExp(`^${metric}\\{.*\\} (\\S+)$`, 'gm'))].map((match) => Number(match[1]));
  return found.length > 0 && Math.min(...found) > Number(seconds);
}

it.each([true, false])(
  'the alert on old audits finds a process whose audits never reached a verdict if it audits at an interval: %s',
  async (auditsByItself) => {
    const metrics = new Metrics('sink');
    let now = 5_000_000;
    const observer = auditTelemetry(createLogger({ name: 'sink', level: 'silent' }), metrics, () => now, auditsByItself);
    for (let hours = 0; hours < 3; hours += 1) {
      expect(auditIsOld(await metrics.text())).toBe(false);
      observer.failed('timeout', new Error('late'));
      now += 3_599_000;
    }
    expect(auditIsOld(await metrics.text())).toBe(auditsByItself);
    // An audit of a table without a ledger reaches a verdict as well.
    observer.finished({ ...complete, lanes: [] });
    expect(auditIsOld(await metrics.text())).toBe(false);
  },
);
