import { expect, it } from 'vitest';
import { createLogger } from '../../logging/create-logger.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { FedPipeline } from '../testing/fed-pipeline.ts';
import { logPipelines } from './pipeline-log.ts';

it('writes a sentence for what an operator wants to read, and none for each call', () => {
  const lines: { level: string; msg: string }[] = [];
  const registry = new PipelineRegistry();
  const s3 = new FedPipeline('s3');
  logPipelines(registry, createLogger({ name: 'sink', stream: { write: (line: string) => void lines.push(JSON.parse(line) as { level: string; msg: string }) } }));
  registry.register(s3.pipeline);
  s3.feed(
    { type: 'CallFinished', result: 'failed', durationMs: 1, attempts: 1 },
    { type: 'CircuitOpened', reason: 'failures', breakDurationMs: 4512.3, failureRatio: 0.6, slowCallRatio: 0, calls: 20 },
    { type: 'CircuitOpened', reason: 'slowness', breakDurationMs: 5000, failureRatio: 0, slowCallRatio: 0.9, calls: 10 },
    { type: 'CircuitOpened', reason: 'probe-failed', breakDurationMs: 9000, failureRatio: 0, slowCallRatio: 0, calls: 0 },
    { type: 'CircuitHalfOpened', probes: 3 },
    { type: 'CircuitClosed', reason: 'probed', rampMs: 0 },
    { type: 'CircuitModeChanged', mode: 'forced-open', state: 'closed' },
    { type: 'ShedLevelChanged', level: 2, load: 0.7 },
    { type: 'ShedLevelChanged', level: 0, load: 0 },
    { type: 'SettingsChanged', changed: ['breaker.breakDurationMs'] },
    { type: 'RetryScheduled', attempt: 1, waitMs: 10, error: new Error('x') },
  );
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    'warn The circuit s3 opened: 60 % of 20 attempts failed; it probes in 4512 ms.',
    'warn The circuit s3 opened: 90 % of 10 attempts were slow; it probes in 5000 ms.',
    'warn The circuit s3 opened: a probe failed; it probes in 9000 ms.',
    'info The circuit s3 probes with 3 calls.',
    'info The circuit s3 closed: its probes succeeded.',
    'warn The circuit s3 was set to forced-open by hand.',
    'warn s3 sheds load: level 2 of 3.',
    'warn s3 sheds no load any more.',
    'warn Settings of the pipeline s3 were changed: breaker.breakDurationMs.',
  ]);
});
