import kafkajs, { type Admin } from 'kafkajs';

/** Settings of a topic that decide whether an acknowledged event can be lost, or a valid one refused. */
export interface TopicSafety {
  readonly topic: string;
  readonly partitions: number;
  /** Brokers of the cluster. */
  readonly brokers: number;
  /** Replicas of the partition that has the fewest. */
  readonly replicas: number;
  /** Values by the broker's names. A setting that the broker did not return is absent. */
  readonly settings: Readonly<Partial<Record<TopicSetting, string>>>;
}

const settingNames = [
  'retention.ms',
  'retention.bytes',
  'cleanup.policy',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'message.timestamp.type',
] as const;

/** Name of a setting that {@link topicRisks} evaluates. */
export type TopicSetting = (typeof settingNames)[number];

/** Replicas of a safe topic. One broker may then be repaired while another one fails. */
const safeReplicas = 3;
/** Copies that an acknowledged event of a safe topic has. */
const safeInSync = 2;

/**
 * Reads the settings. It needs `DESCRIBE` and `DESCRIBE_CONFIGS` on the topic.
 *
 * @param admin connected
 * @throws Error of kafkajs when Kafka does not answer, refuses a right, or has no such topic
 */
export async function readTopicSafety(
  admin: Pick<Admin, 'describeCluster' | 'describeConfigs' | 'fetchTopicMetadata'>,
  topic: string,
): Promise<TopicSafety & { readonly clusterId: string }> {
  const { clusterId, brokers } = await admin.describeCluster();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [...settingNames] }],
  });
  const partitions = topics[0]?.partitions ?? [];
  return {
    clusterId,
    topic,
    partitions: partitions.length,
    brokers: brokers.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    settings: Object.fromEntries(
      resources.flatMap(({ configEntries }) => configEntries.map((entry) => [entry.configName, entry.configValue])),
    ),
  };
}

/** Replication of a new topic, by the number of brokers: the safe one where the cluster can hold it. */
export function replicationFor(brokers: number): { readonly replicas: number; readonly inSync: number } {
  return brokers >= safeReplicas ? { replicas: safeReplicas, inSync: safeInSync } : { replicas: 1, inSync: 1 };
}

/**
 * The risks of a topic, each as a sentence with its remedy. In a cluster of fewer than three brokers, few replicas are not a risk of the
 * topic.
 */
export function topicRisks({ topic, brokers, replicas, settings }: TopicSafety): string[] {
  const risks: string[] = [];
  const unlimited = (name: TopicSetting): boolean => (settings[name] ?? '-1') === '-1';
  if (!unlimited('retention.ms') || !unlimited('retention.bytes'))
    risks.push(
      `The topic ${topic} does not keep every event, although it is the source of truth: set retention.ms=-1 and retention.bytes=-1.`,
    );
  if (settings['cleanup.policy']?.includes('compact') === true)
    risks.push(`Compaction deletes earlier events of a key from the topic ${topic}: set cleanup.policy=delete.`);
  if (brokers >= safeReplicas && replicas < safeReplicas)
    risks.push(
      `The topic ${topic} has partitions with ${replicas} of ${safeReplicas} replicas: a failed disk can lose acknowledged events. Reassign them to ${safeReplicas} brokers.`,
    );
  const inSync = Number(settings['min.insync.replicas'] ?? safeInSync);
  if (replicas > 1 && inSync < safeInSync)
    risks.push(`An event of the topic ${topic} is acknowledged with one copy: set min.insync.replicas=${safeInSync}.`);
  if (replicas > 1 && inSync >= replicas)
    risks.push(
      `The topic ${topic} takes no event while one of its brokers is down: min.insync.replicas=${inSync} needs all ${replicas} replicas.`,
    );
  if (settings['unclean.leader.election.enable'] === 'true')
    risks.push(`A replica that lags may lead the topic ${topic} and drop acknowledged events: set unclean.leader.election.enable=false.`);
  if (settings['message.timestamp.type'] === 'CreateTime')
    risks.push(
      `Kafka refuses the events of a machine whose clock is an hour ahead in the topic ${topic}: set message.timestamp.type=LogAppendTime.`,
    );
  return risks;
}
