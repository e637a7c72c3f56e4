import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { purchases, type Stream } from '@millrace/contracts';
import { GlueCatalog, glueClient, s3Client } from '@millrace/lake';
import kafkajs from 'kafkajs';
import { StackError } from './errors.ts';
import { serviceEnv, type Env, type Settings } from './settings.ts';

/** Clients of the AWS emulator, whatever environment this process has. */
export function awsClients(settings: Settings, env: Env): { s3: ReturnType<typeof s3Client>; glue: ReturnType<typeof glueClient> } {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = serviceEnv(settings, env);
  const overrides = { endpoint: settings.awsUrl, region: region!, credentials: { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! } };
  return { s3: s3Client({}, overrides), glue: glueClient({}, overrides) };
}

/**
 * Creates topic, bucket, database and table where they are missing.
 *
 * @throws StackError when a topic is there with another number of partitions: that would break the order per key
 */
export async function setUpLake(settings: Settings, env: Env): Promise<void> {
  await createTopic(settings, purchases);
  const { s3, glue } = awsClients(settings, env);
  try {
    await s3.send(new HeadBucketCommand({ Bucket: settings.bucket }));
  } catch {
    await s3.send(new CreateBucketCommand({ Bucket: settings.bucket }));
  }
  await new GlueCatalog(glue, purchases, settings.bucket, undefined, settings.database).ensureTable();
}

async function createTopic(settings: Settings, { topic }: Stream): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: settings.kafkaBrokers.split(','), logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 5 } });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = (await admin.listTopics()).includes(topic.name);
    if (!existing) {
      await admin.createTopics({
        topics: [{ topic: topic.name, numPartitions: topic.partitions, configEntries: Object.entries(topic.config).map(([name, value]) => ({ name, value })) }],
      });
      return;
    }
    const [found] = (await admin.fetchTopicMetadata({ topics: [topic.name] })).topics;
    if (found?.partitions.length !== topic.partitions) {
      throw new StackError(`The topic ${topic.name} has ${found?.partitions.length} partitions, the contract says ${topic.partitions}; another number is another topic.`);
    }
  } finally {
    await admin.disconnect();
  }
}
