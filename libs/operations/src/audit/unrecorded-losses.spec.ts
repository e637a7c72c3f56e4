import type { AuditReport, LaneAudit } from '@millrace/lake';
import { expect, it } from 'vitest';
import { withUnrecordedLosses } from './unrecorded-losses.ts';

const lane: LaneAudit = {
  topic: 't',
  partition: 0,
  entries: 1,
  spanned: 10,
  rows: 10,
  rejected: 0,
  dropped: 0,
  absent: 0,
  lost: 0,
  gap: 0,
  unlanded: 5,
  files: 1,
  bytes: 10,
  checkpointTo: 0,
  filesRead: 1,
};
const complete: AuditReport = {
  v: 1,
  table: 'purchases',
  verdict: 'complete',
  at: '',
  tookMs: 1,
  deep: false,
  lanes: [lane],
  losses: [],
  lostOffsets: 0,
  faults: [],
  faultCount: 0,
};

it('an offset that is recorded or still in the log is not a loss', () => {
  expect(
    withUnrecordedLosses(complete, [
      { partition: 0, low: 15, high: 40 },
      { partition: 1, low: 0, high: 7 },
    ]),
  ).toBe(complete);
});

it('an offset that left the log before it was recorded is a loss, also in a partition without landed events', () => {
  const report = withUnrecordedLosses(complete, [
    { partition: 0, low: 18, high: 40 },
    { partition: 1, low: 7, high: 7 },
  ]);
  expect(report).toMatchObject({
    verdict: 'losses',
    lostOffsets: 10,
    losses: [
      { kind: 'retention', partition: 0, offsets: 3 },
      { kind: 'retention', partition: 1, offsets: 7 },
    ],
  });
  expect(report.losses[0]!.what).toContain('Offsets [15, 18) of partition 0 are no longer in the log and not recorded yet');
});

it('a faulty report stays faulty and lists the loss, too', () => {
  const known = { kind: 'by-hand', what: 'A file was deleted.', partition: 0, offsets: 2 } as const;
  expect(
    withUnrecordedLosses({ ...complete, verdict: 'faulty', losses: [known], lostOffsets: 2 }, [{ partition: 0, low: 16, high: 40 }]),
  ).toMatchObject({ verdict: 'faulty', lostOffsets: 3, losses: [{ offsets: 1 }, known] });
});
