import { createHash } from 'node:crypto';
import { parseEntry } from '@millrace/lake';
import type { EncodedBatch, StagedBody } from './batch.ts';
import { SinkError } from '../errors.ts';
import type { BatchFiles } from './spool.ts';

interface Manifest {
  readonly v: number;
  /** The entry's JSON text: its bytes must equal those sent before the crash. */
  readonly entry: string;
  /** Left out by older versions. */
  readonly takenAt?: number;
  readonly bodies: readonly { readonly staged: string; readonly file: string; readonly bytes: number; readonly sha256: string }[];
}

/** The manifest of an encoded batch: a line with the SHA-256 of the rest, and the rest. */
export function manifestOf({ entry, bodies, takenAt }: Pick<EncodedBatch, 'entry' | 'bodies' | 'takenAt'>): Uint8Array {
  const manifest: Manifest = {
    v: 1,
    entry: JSON.stringify(entry),
    takenAt,
    bodies: bodies.map(({ staged, file, bytes, sha256 }) => ({ staged, file, bytes, sha256 })),
  };
  const text = JSON.stringify(manifest);
  return Buffer.from(`${sha256Of(text)}\n${text}\n`);
}

/**
 * Reads a batch back as it was encoded, every file compared with its hash.
 *
 * @throws SinkError `spool-corrupt` naming what is not as it was written
 */
export async function readSpooled(files: BatchFiles): Promise<EncodedBatch> {
  const { entry: text, bodies: named, takenAt = Date.now() } = await readManifest(files);
  const entry = parseEntry(`the manifest of batch ${files.batchId}`, Buffer.from(text));
  const bodies = named.map(({ staged, file, bytes, sha256 }) => ({ staged, file, bytes, sha256, body: files.body(file, bytes) }));
  for (const body of bodies) await verifyBody(files, body);
  return { entry, bodies, takenAt, files, bytes: bodies.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Compares one file with its hash.
 *
 * @throws SinkError `spool-corrupt` when it differs
 */
export async function verifyBody(files: BatchFiles, { file, sha256 }: Pick<StagedBody, 'file' | 'sha256'>): Promise<void> {
  const found = await files.hash(file);
  if (found !== sha256) throw corrupt(files, `${file} ${found === undefined ? 'is missing' : 'does not match its checksum'}`);
}

async function readManifest(files: BatchFiles): Promise<Manifest> {
  const bytes = await files.manifest();
  const [hash, text] = bytes === undefined ? [] : Buffer.from(bytes).toString('utf8').split('\n');
  if (hash === undefined || text === undefined || sha256Of(text) !== hash) throw corrupt(files, 'its manifest does not match its checksum');
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.v > 1) throw corrupt(files, `its manifest has format ${manifest.v}, and this release reads format 1`);
  return manifest;
}

function corrupt({ batchId }: BatchFiles, what: string): SinkError {
  return new SinkError('spool-corrupt', `batch ${batchId} cannot be read back from the spool: ${what}`);
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
