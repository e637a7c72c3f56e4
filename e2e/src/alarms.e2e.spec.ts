import { expect, it } from 'vitest';
import { runAlarmProof } from './alarms/alarm-proof.ts';

const { MILLRACE_PROMETHEUS: binary = '' } = process.env;
const skipped = binary === '' ? ' (skipped: no Prometheus is installed; ./millrace verify alarms fetches one)' : '';

it.skipIf(binary === '')(
  `a real Prometheus fires an alert for a stalled partition, a crash-looping consumer and one out of its group, and none before${skipped}`,
  async () => {
    const { firedInSteadyState, alarms } = await runAlarmProof({ binary, tell: () => undefined });
    expect(firedInSteadyState).toEqual([]);
    expect(alarms.map(({ alert }) => alert)).toEqual(['MillracePartitionStalled', 'MillraceConsumerCrashes', 'MillraceSinkNotJoined']);
  },
  300_000,
);
