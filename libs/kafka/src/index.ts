export { DecodeError, type DecodeErrorCode } from './errors.ts';
export { answerOf, kafkaClient, type FetchedAnswer } from './kafkajs/kafka-client.ts';
export {
  readAnswer,
  runBytesMax,
  undecodableOffsetsMax,
  type PartitionAnswer,
  type RecordRun,
  type UndecodableBatch,
} from './read-answer.ts';
export type { AbortedTransaction } from './record-batch/aborted-transactions.ts';
export { codecNames } from './record-batch/codecs.ts';
export { batchBytesMax, type BatchHeader } from './record-batch/record-batch.ts';
export { lastHeader, PlacedRecord, type KafkaRecord, type RecordHeader } from './record-batch/record.ts';
export { readTopicSafety, replicationFor, topicRisks, type TopicSafety } from './topic-risks.ts';
export { deleteGroup, readTopic, type OffsetRange, type ReadTopicOptions, type TopicRecord, type UnreadRange } from './read-topic.ts';
