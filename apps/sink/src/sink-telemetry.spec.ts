import { LakeError } from '@millrace/lake';
import { Metrics } from '@millrace/runtime';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { sinkTelemetry } from './sink-telemetry.ts';

it('says once that snapshots are refused, whichever lanes meet it, and nothing of a store that is only away', () => {
  const lines: string[] = [];
  const observe = sinkTelemetry(pino({ level: 'warn' }, { write: (line) => void lines.push(line) }), new Metrics('sink'));
  observe({ type: 'SnapshotFailed', partition: 0, error: new LakeError('unavailable', 'no answer') });
  expect(lines).toEqual([]);
  for (const partition of [1, 2]) observe({ type: 'SnapshotFailed', partition, error: new LakeError('denied', 'no') });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('_windows/');
});
