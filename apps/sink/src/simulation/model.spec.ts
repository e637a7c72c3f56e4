import { describe, expect, it } from 'vitest';
import { brokenRules } from './broken-rules.ts';
import { checkModel } from './check-model.ts';

describe('the model', () => {
  // Schedules have two writers, crashes, delayed and doubled writes, full disks, swept disks, retention and a recreated topic.
  it('the model holds in 2,000 schedules, and detects the omission of every rule', async () => {
    const report = await checkModel(2000, 1, () => undefined);
    expect(report.failure).toBeUndefined();
    expect(report.schedules).toBe(2000);
    expect(Object.keys(report.foundOut)).toEqual(Object.keys(brokenRules));
    for (const [rule, schedules] of Object.entries(report.foundOut))
      expect(schedules, `nothing fails without "${rule}"`).toBeGreaterThan(0);
  }, 300_000);
});
