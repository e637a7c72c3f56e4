export { batchBytes, markerBytes, sealBatch, varint, type BatchCodec, type BatchToEncode, type RecordToEncode } from './batch-bytes.ts';
export { BrokerRefusal, RawProducer, type ProducerIdentity } from './raw-producer.ts';
