import { Buffer } from 'node:buffer';
import avro from 'avsc';

/** Schema of an Avro file as JSON. Unknown attributes, for example Iceberg's `field-id`, stay in the header. */
export type AvroSchema = Readonly<Record<string, unknown>>;

/** Encodes records as an Avro object container with the codec `deflate`. `metadata` goes into the header beside the schema. */
export async function writeContainer(
  schema: AvroSchema,
  metadata: Readonly<Record<string, string>>,
  records: readonly unknown[],
): Promise<Uint8Array> {
  const options = {
    codec: 'deflate',
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)])),
  };
  const encoder = new avro.streams.BlockEncoder(schema as unknown as avro.Schema, options);
  for (const record of records) encoder.write(record);
  encoder.end();
  const chunks: Buffer[] = [];
  for await (const chunk of encoder) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Decodes the records of an Avro object container.
 *
 * @throws Error when the bytes are not one
 */
export async function readContainer<T>(bytes: Uint8Array): Promise<T[]> {
  const decoder = new avro.streams.BlockDecoder();
  decoder.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const records: T[] = [];
  for await (const record of decoder) records.push(record as T);
  return records;
}
