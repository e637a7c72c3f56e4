import { validatorFor } from '@millrace/contracts';
import { Type } from 'typebox';
import type { CallOptions, ObjectStore } from '../../object-store.ts';
import { parseStored } from '../../parse-stored.ts';
import { marksKey } from '../projection-keys.ts';

const marksSchema = Type.Object({ v: Type.Literal(1), since: Type.Record(Type.String(), Type.Integer({ minimum: 0 })) });
const validator = validatorFor(marksSchema);

/**
 * Objects that no reader can reach, with the time at which this was first seen. An object that nothing references stays so, so a mark
 * never becomes wrong: a lost, late or doubled write of this list only delays deletions.
 */
export type Marks = ReadonlyMap<string, number>;

export async function readMarks(store: ObjectStore, table: string, options: CallOptions): Promise<Marks> {
  const key = marksKey(table);
  const bytes = await store.get(key, options);
  return new Map(bytes === undefined ? [] : Object.entries(parseStored(key, bytes, validator).since));
}

export async function writeMarks(store: ObjectStore, table: string, marks: Marks, options: CallOptions): Promise<void> {
  const body = Buffer.from(JSON.stringify({ v: 1, since: Object.fromEntries(marks) }));
  await store.put(marksKey(table), body, { ...options, contentType: 'application/json' });
}
