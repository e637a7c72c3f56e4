import { purchases } from '@millrace/contracts';
import { LakeView } from '@millrace/testing';
import kafkajs from 'kafkajs';

/** The stack that the tests run against, as its environment describes it. */
export const stack = {
  purchaseUrl: given('PURCHASE_URL'),
  queryUrl: given('QUERY_URL'),
  kafkaBrokers: given('KAFKA_BROKERS'),
  /** The listener whose clients are sent to {@link kafkaAdvertisedPort}, where a fault proxy may stand. */
  kafkaProxiedBrokers: given('KAFKA_PROXIED_BROKERS'),
  kafkaAdvertisedPort: Number(given('KAFKA_ADVERTISED_PORT')),
  awsUrl: given('AWS_ENDPOINT_URL'),
  redisUrl: given('REDIS_URL'),
  bucket: given('LAKE_BUCKET'),
  database: given('LAKE_DATABASE'),
  home: given('MILLRACE_HOME'),
  topic: purchases.topic.name,
  table: purchases.table,
};

/** The lake, seen without any proxy. */
export const lake = new LakeView({ endpoint: stack.awsUrl, bucket: stack.bucket });

/** Kafka, reached without any proxy. */
export const kafka = new kafkajs.Kafka({
  brokers: stack.kafkaBrokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { retries: 8 },
});

function given(key: string): string {
  const value = process.env[key];
  if (value === undefined || value === '') throw new Error(`${key} is not set: end-to-end tests run on the stack of ./millrace test`);
  return value;
}
