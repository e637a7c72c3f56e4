import { DeleteTableCommand } from '@aws-sdk/client-glue';
import { purchases } from '@millrace/contracts';
import { glueClient } from '@millrace/lake';
import type { Finding } from '@millrace/operations';
import { OwnTopic, PlantedLake } from '@millrace/operations/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let planted: PlantedLake;
let topic: OwnTopic;
beforeEach(async () => {
  planted = await PlantedLake.open();
  topic = await OwnTopic.open(planted.env);
});
afterEach(async () => {
  await topic?.close();
  planted?.close();
});

async function doctor(env: Readonly<Record<string, string>> = {}): Promise<{ code: number; findings: readonly Finding[] }> {
  const context = recordingContext({ ...planted.env, SINK_TOPIC: topic.name, ...env });
  const code = await operate('doctor', ['--json'], context);
  const { tables } = JSON.parse(context.lines.join('\n')) as { tables: { findings: Finding[] }[] };
  return { code, findings: tables.flatMap(({ findings }) => findings) };
}

describe('./millrace doctor', () => {
  it('parts that are sound have one finding each', async () => {
    const { code, findings } = await doctor();
    expect(findings.map(({ part, state }) => `${part} ${state}`)).toEqual(['kafka sound', 'store sound', 'catalog sound']);
    expect(code).toBe(0);
  });

  it('a topic that has grown is sound, and a note names the difference', async () => {
    const grown = await OwnTopic.open(planted.env, 12);
    try {
      const { code, findings } = await doctor({ SINK_TOPIC: grown.name });
      expect(findings.slice(0, 2)).toEqual([
        { part: 'kafka', state: 'sound', text: expect.stringContaining('12 partitions') as string },
        { part: 'kafka', state: 'note', text: expect.stringContaining('has grown from 8 to 12 partitions') as string },
      ]);
      expect(code).toBe(0);
    } finally {
      await grown.close();
    }
  });

  it('a topic with fewer partitions than its contract is a fault', async () => {
    const small = await OwnTopic.open(planted.env, 7);
    try {
      const { code, findings } = await doctor({ SINK_TOPIC: small.name });
      expect(findings[0]).toMatchObject({ part: 'kafka', state: 'fault', text: expect.stringContaining('7 of at least 8') as string });
      expect(code).toBe(1);
    } finally {
      await small.close();
    }
  });

  it.each([
    ['limited retention', { ...purchases.topic.config, 'retention.ms': '60000' }, 'set retention.ms=-1'],
    [
      'the time of its producers',
      { ...purchases.topic.config, 'message.timestamp.type': 'CreateTime' },
      'set message.timestamp.type=LogAppendTime',
    ],
  ])('a topic with %s is a risk', async (_, config, remedy) => {
    const limited = await OwnTopic.open(planted.env, 8, config);
    try {
      const { code, findings } = await doctor({ SINK_TOPIC: limited.name });
      expect(findings[0]).toMatchObject({ part: 'kafka', state: 'risk', text: expect.stringContaining(remedy) as string });
      expect(code).toBe(2);
    } finally {
      await limited.close();
    }
  });

  it('a missing topic, bucket or table is a fault with its name and the remedy', async () => {
    const glue = glueClient();
    await glue.send(new DeleteTableCommand({ DatabaseName: planted.env['LAKE_DATABASE'], Name: 'purchases' }));
    glue.destroy();
    const { code, findings } = await doctor({ SINK_TOPIC: 'no-such-topic', LAKE_BUCKET: 'no-such-bucket' });
    expect(findings.map(({ state }) => state)).toEqual(['fault', 'fault', 'fault']);
    expect(findings.map(({ text }) => text).join('\n')).toMatch(
      /no topic no-such-topic.*\n.*no-such-bucket.*\n.*no table .*\.purchases\. .*up/,
    );
    expect(code).toBe(1);
  });

  it('parts that do not answer are faults, and the others are checked', async () => {
    const { code, findings } = await doctor({ KAFKA_BROKERS: '127.0.0.1:1' });
    expect(findings.map(({ part, state }) => `${part} ${state}`)).toEqual(['kafka fault', 'store sound', 'catalog sound']);
    expect(findings[0]!.text).toContain('does not answer');
    expect(code).toBe(1);
  });
});
