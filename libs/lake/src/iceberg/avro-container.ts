import { Buffer } from 'node:buffer';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import avro from 'avsc';

/** Schema of an Avro file as JSON. Unknown attributes, for example Iceberg's `field-id`, stay in the header. */
export type AvroSchema = Readonly<Record<string, unknown>>;

// At most a few megabytes. Without the thread pool, the model of the projection repeats every schedule exactly.
const encoders = { deflate: (data: Buffer, done: (error: null, data: Buffer) => void) => done(null, deflateRawSync(data)) };
const decoders = { deflate: (data: Buffer, done: (error: null, data: Buffer) => void) => done(null, inflateRawSync(data)) };

// A type is compiled when it is made, which takes longer than encoding a small manifest.
const types = new Map<string, avro.Type>();

function typeOf(schema: AvroSchema): avro.Type {
  const text = JSON.stringify(schema);
  const known = types.get(text);
  if (known !== undefined) return known;
  // The library would leave unknown attributes, and so the field ids, out of the header.
  const made = Object.create(avro.Type.forSchema(schema as unknown as avro.Schema), { getSchema: { value: () => schema } }) as avro.Type;
  types.set(text, made);
  return made;
}

/** Encodes records as an Avro object container with the codec `deflate`. `metadata` goes into the header beside the schema. */
export async function writeContainer(
  schema: AvroSchema,
  metadata: Readonly<Record<string, string>>,
  records: readonly unknown[],
): Promise<Uint8Array> {
  const options = {
    codec: 'deflate',
    codecs: encoders,
    // By default a file without records would have no header either.
    writeHeader: 'always' as const,
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)])),
  };
  const encoder = new avro.streams.BlockEncoder(typeOf(schema), options);
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
  const decoder = new avro.streams.BlockDecoder({ codecs: decoders, parseHook: (schema: unknown) => typeOf(schema as AvroSchema) });
  decoder.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const records: T[] = [];
  for await (const record of decoder) records.push(record as T);
  return records;
}
