import { LakeError, type AuditReport } from '@millrace/lake';
import { describe, expect, it } from 'vitest';
import { AuditRuns } from './audit-runs.ts';
import { TestClock } from '../testing/test-clock.ts';
import { auditEvery } from './audit-schedule.ts';

const report: AuditReport = {
  v: 1,
  table: 'purchases',
  verdict: 'complete',
  at: '',
  tookMs: 1,
  deep: false,
  lanes: [],
  losses: [],
  lostOffsets: 0,
  faults: [],
  faultCount: 0,
};

/** An audit that the test ends, and the notes of its observer. */
function held(): { runs: AuditRuns; clock: TestClock; notes: string[]; end: (error?: Error) => void } {
  const clock = new TestClock();
  const notes: string[] = [];
  const work = Promise.withResolvers<AuditReport>();
  const runs = new AuditRuns(
    async (signal) =>
      await Promise.race([
        work.promise,
        new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]),
    { runMsMax: 300_000 },
    { finished: ({ verdict }) => notes.push(verdict), failed: (reason) => notes.push(reason) },
    clock,
  );
  return { runs, clock, notes, end: (error) => (error === undefined ? work.resolve(report) : work.reject(error)) };
}

describe('AuditRuns', () => {
  it('audits run one at a time', async () => {
    const { runs, notes, end } = held();
    const first = runs.audit();
    await expect(runs.audit()).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterSeconds: 5 } });
    end();
    expect(await first).toBe(report);
    expect(await runs.audit()).toBe(report);
    expect(notes).toEqual(['complete', 'complete']);
  });

  it('an audit that takes too long ends, and makes room for the next one', async () => {
    const { runs, clock, notes, end } = held();
    const late = runs.audit();
    expect(clock.waiting[0]!.ms).toBe(300_000);
    clock.ring();
    await expect(late).rejects.toMatchObject({ code: 'deadline-exceeded' });
    end();
    expect(await runs.audit()).toBe(report);
    expect(notes).toEqual(['timeout', 'complete']);
    expect(clock.waiting).toEqual([]);
  });

  it('an audit ends when its caller disconnects, and when the service stops', async () => {
    const { runs, notes } = held();
    const caller = new AbortController();
    const left = runs.audit(caller.signal);
    caller.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    const stopped = runs.audit();
    runs.close();
    await expect(stopped).rejects.toMatchObject({ code: 'unavailable' });
    await expect(runs.audit()).rejects.toMatchObject({ code: 'unavailable' });
    expect(notes).toEqual(['aborted', 'aborted']);
  });

  it('an audit reports that S3 does not answer', async () => {
    const { runs, notes, end } = held();
    const failing = runs.audit();
    end(new LakeError('unavailable', 'S3 list failed', { key: '_ledger/' }));
    await expect(failing).rejects.toMatchObject({ code: 'unavailable', message: 'The audit failed: S3 does not answer.' });
    expect(notes).toEqual(['unavailable']);
  });
});

describe('auditEvery', () => {
  it('the schedule audits early, then at its interval, whether or not an audit fails', async () => {
    const clock = new TestClock();
    let count = 0;
    const stop = auditEvery(
      900_000,
      async () => await Promise.reject(new Error(`audit ${(count += 1)}`)),
      clock,
      () => 0.5,
    );
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      waits.push(clock.waiting[0]!.ms);
      clock.ring();
      await Promise.resolve();
      while (clock.waiting.length === 0) await Promise.resolve();
    }
    expect([count, waits]).toEqual([3, [60_000, 900_000, 900_000]]);
    stop();
    expect(clock.waiting).toEqual([]);
  });

  it('the schedule never audits at interval 0', () => {
    const clock = new TestClock();
    auditEvery(
      0,
      async () => await Promise.resolve(),
      clock,
      () => 0.5,
    )();
    expect(clock.waiting).toEqual([]);
  });
});
