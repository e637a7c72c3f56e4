import { Type, type Static, type TObject } from 'typebox';
import { Value } from 'typebox/value';
import { LakeError } from './errors.ts';

/** Prefix of {@link lakeSettings}: give it to `readConfig`, so that a misspelt setting is refused. */
export const lakePrefix = 'LAKE_';

const prefixPattern = '^[A-Za-z0-9!_.*()=-]+(/[A-Za-z0-9!_.*()=-]+)*$';
const tagPattern = '^[^=,]{1,128}=[^,]{0,256}$';

/** How a company's bucket is used: the same settings for each process. `LAKE_BUCKET` is beside them, since some processes do without. */
export const lakeSettings = {
  LAKE_PREFIX: Type.Optional(
    Type.String({
      maxLength: 400,
      pattern: prefixPattern,
      description: 'Prefix of every key in the bucket, such as team/shop. The same for each process; never change it',
    }),
  ),
  LAKE_KMS_KEY: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'KMS key (id, ARN or alias) that encrypts each written object (SSE-KMS). Without it, the bucket decides',
    }),
  ),
  LAKE_BUCKET_OWNER: Type.Optional(
    Type.String({
      pattern: '^[0-9]{12}$',
      description: 'AWS account that must own the bucket. Requests to a bucket of another account are refused',
    }),
  ),
  LAKE_TAGS: Type.Optional(
    Type.Array(Type.String({ pattern: tagPattern }), {
      minItems: 1,
      maxItems: 10,
      description: 'Tags of each written object, as name=value',
    }),
  ),
};

/** Values of {@link lakeSettings}. */
export type LakeConfig = Static<TObject<typeof lakeSettings>>;

/** How objects are written, and whose bucket it must be. */
export interface ObjectSettings {
  /** KMS key of each written object. Default: the bucket's encryption. */
  readonly kmsKey?: string | undefined;
  /** Account that must own the bucket. Default: any. */
  readonly bucketOwner?: string | undefined;
  /** Tags of each written object, each as `name=value`. Default: none. */
  readonly tags?: readonly string[] | undefined;
}

/** How a process writes objects. */
export function objectSettingsOf(config: LakeConfig): ObjectSettings {
  return { kmsKey: config.LAKE_KMS_KEY, bucketOwner: config.LAKE_BUCKET_OWNER, tags: config.LAKE_TAGS };
}

/** Root of the lake: the bucket, and the prefix after a slash. `s3://` and the root are the start of every address. */
export function lakeRoot(bucket: string, prefix: string | undefined): string {
  return prefix === undefined ? bucket : `${bucket}/${prefix}`;
}

/** Bucket and prefix of a root. The prefix ends in a slash, or is empty. */
export function splitRoot(root: string): { readonly bucket: string; readonly prefix: string } {
  const slash = root.indexOf('/');
  return slash < 0 ? { bucket: root, prefix: '' } : { bucket: root.slice(0, slash), prefix: `${root.slice(slash + 1)}/` };
}

/**
 * Reads the settings of a program that has no configuration schema. An empty variable counts as absent.
 *
 * @throws LakeError `misconfigured` naming every setting that is not valid
 */
export function lakeConfigFrom(env: Readonly<Record<string, string | undefined>>): LakeConfig {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(lakeSettings)) {
    const text = env[name]?.trim() ?? '';
    if (text === '') continue;
    const value = name === 'LAKE_TAGS' ? text.split(',').map((tag) => tag.trim()) : text;
    if (Value.Check(schema, value)) values[name] = value;
    else problems.push(`${name} is not valid: ${String((schema as { description?: string }).description)}.`);
  }
  if (problems.length > 0) throw new LakeError('misconfigured', problems.join(' '));
  return values;
}
