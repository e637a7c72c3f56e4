import { validatorFor } from '@millrace/contracts';
import { Type, type Static } from 'typebox';
import { parseStored } from './parse-stored.ts';
import { skipKey } from './keys.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';

const offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const permissionSchema = Type.Object({
  v: Type.Literal(1),
  topic: Type.String({ minLength: 1 }),
  partition: Type.Integer({ minimum: 0 }),
  from: offset,
  to: offset,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  reason: Type.String(),
});

/**
 * An operator's permission to skip one batch of a topic that cannot be decoded: each of its offsets [from, to) becomes a reject.
 * `sha256` is the hash of the batch's bytes, so that it holds for no other batch.
 */
export type SkipPermission = Static<typeof permissionSchema>;

const validator = validatorFor(permissionSchema);

/**
 * Reads the permission for the batch at an offset; undefined without one.
 *
 * @throws LakeError `bad-entry` when the object is not a permission
 */
export async function readSkipPermission(
  store: Pick<ObjectStore, 'get'>,
  topic: string,
  partition: number,
  from: number,
  options: CallOptions = {},
): Promise<SkipPermission | undefined> {
  const key = skipKey(topic, partition, from);
  const bytes = await store.get(key, options);
  if (bytes === undefined) return undefined;
  return parseStored(key, bytes, validator);
}

/** Writes a permission. The same permission may be written again. */
export async function writeSkipPermission(
  store: Pick<ObjectStore, 'put'>,
  permission: SkipPermission,
  options: CallOptions = {},
): Promise<void> {
  await store.put(
    skipKey(permission.topic, permission.partition, permission.from),
    Buffer.from(`${JSON.stringify(permission)}\n`),
    options,
  );
}
