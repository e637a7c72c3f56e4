import { describe, expect, it } from 'vitest';
import { replicationFor, topicRisks, type TopicSafety } from './topic-risks.ts';

const safe: TopicSafety = {
  topic: 'orders',
  partitions: 8,
  brokers: 3,
  replicas: 3,
  settings: {
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'cleanup.policy': 'delete',
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'LogAppendTime',
  },
};
const withSettings = (settings: TopicSafety['settings']): TopicSafety => ({ ...safe, settings: { ...safe.settings, ...settings } });

it('a new topic has three replicas where the cluster has three brokers', () => {
  expect([1, 2, 3, 9].map(replicationFor)).toEqual([
    { replicas: 1, inSync: 1 },
    { replicas: 1, inSync: 1 },
    { replicas: 3, inSync: 2 },
    { replicas: 3, inSync: 2 },
  ]);
});

describe('the risks of a topic', () => {
  it('a topic with three replicas, two in sync and no limit of retention has no risk', () => {
    expect(topicRisks(safe)).toEqual([]);
  });

  it('a topic on one broker has no risk of too few replicas', () => {
    expect(topicRisks({ ...withSettings({ 'min.insync.replicas': '1' }), brokers: 1, replicas: 1 })).toEqual([]);
  });

  it('settings that the broker did not return are not a risk', () => {
    expect(topicRisks({ ...safe, settings: {} })).toEqual([]);
  });

  it.each<[string, TopicSafety, string]>([
    ['retention.ms', withSettings({ 'retention.ms': '86400000' }), 'set retention.ms=-1 and retention.bytes=-1'],
    ['retention.bytes', withSettings({ 'retention.bytes': '1000' }), 'set retention.ms=-1 and retention.bytes=-1'],
    ['compaction', withSettings({ 'cleanup.policy': 'compact,delete' }), 'set cleanup.policy=delete'],
    ['few replicas', { ...safe, replicas: 2, settings: {} }, 'has partitions with 2 of 3 replicas'],
    ['one copy in sync', withSettings({ 'min.insync.replicas': '1' }), 'set min.insync.replicas=2'],
    ['all copies in sync', withSettings({ 'min.insync.replicas': '3' }), 'min.insync.replicas=3 needs all 3 replicas'],
    ['unclean elections', withSettings({ 'unclean.leader.election.enable': 'true' }), 'set unclean.leader.election.enable=false'],
    ['the clock of producers', withSettings({ 'message.timestamp.type': 'CreateTime' }), 'set message.timestamp.type=LogAppendTime'],
  ])('the risk of %s has its remedy', (_, topic, remedy) => {
    const risks = topicRisks(topic).filter((risk) => risk.includes(remedy));
    expect(risks).toHaveLength(1);
    expect(risks[0]).toContain('topic orders');
  });
});
