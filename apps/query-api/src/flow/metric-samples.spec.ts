import { expect, it } from 'vitest';
import { flowSamples } from './metric-samples.ts';

it('the samples of the flow are read with their labels, and all others are left out', () => {
  const text = [
    '# HELP millrace_sink_lag_records Records that wait.',
    '# TYPE millrace_sink_lag_records gauge',
    'millrace_sink_lag_records{partition="0",stage="landed",service="sink"} 12',
    'millrace_sink_spool_bytes 1.5e3',
    'millrace_sink_spool_full_in_seconds{service="sink"} +Inf',
    'millrace_other_total{service="sink"} 4',
    'process_cpu_seconds_total 1',
    '',
  ].join('\n');
  expect(flowSamples(text)).toEqual([
    { name: 'millrace_sink_lag_records', labels: { partition: '0', stage: 'landed', service: 'sink' }, value: 12 },
    { name: 'millrace_sink_spool_bytes', labels: {}, value: 1500 },
  ]);
});
