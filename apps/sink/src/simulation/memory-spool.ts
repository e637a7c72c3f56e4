import { createHash } from 'node:crypto';
import type { EncodedFile, SegmentEncoder } from '../encode.ts';
import { SinkError } from '../errors.ts';
import type { Segment } from '../batch.ts';
import type { BatchFiles, Spool } from '../spool.ts';
import type { Incarnation } from './incarnation.ts';

/** A disk in memory; its files are gone with the incarnation. */
export class MemorySpool implements Spool {
  readonly #life: Incarnation;
  readonly files = new Map<string, Buffer>();

  constructor(life: Incarnation) {
    this.#life = life;
  }

  async open(_partition: number, batchId: string): Promise<BatchFiles> {
    const path = (name: string): string => `${batchId}/${name}`;
    return {
      batchId,
      path,
      write: async (name, chunk, position) =>
        await this.#life.effect(`append ${name}`, () => {
          const before = this.files.get(path(name)) ?? Buffer.alloc(0);
          this.files.set(path(name), Buffer.concat([before.subarray(0, position), Buffer.from(chunk)]));
        }),
      seal: async (files) =>
        await this.#life.effect('seal', () => {
          for (const { file, bytes } of files) this.files.set(path(file), this.files.get(path(file))!.subarray(0, bytes));
        }),
      writeManifest: async (bytes) => await this.#life.effect('write manifest', () => void this.files.set(path('manifest.json'), Buffer.from(bytes))),
      remove: async (name) => void this.files.delete(path(name)),
      discard: async () => {
        for (const name of this.files.keys()) if (name.startsWith(`${batchId}/`)) this.files.delete(name);
      },
    };
  }
}

/** "Encodes" a segment by keeping its lines, so that a test can read what a reader of the table would. */
export class LineEncoder implements SegmentEncoder {
  readonly #life: Incarnation;
  readonly #spool: MemorySpool;

  constructor(life: Incarnation, spool: MemorySpool) {
    this.#life = life;
    this.#spool = spool;
  }

  async encode(files: BatchFiles, segment: Segment): Promise<EncodedFile> {
    return await this.#life.effect(`encode ${segment.dt}`, () => {
      const body = this.#bytes(files, segment.file);
      const rows = body.toString().split('\n').length - 1;
      if (rows !== segment.rows) throw new SinkError('row-count', `${segment.rows} lines became ${rows} rows`);
      return { rows, bytes: body.byteLength, sha256: sha256Of(body), body };
    });
  }

  async asIs(files: BatchFiles, name: string): Promise<EncodedFile> {
    const body = this.#bytes(files, name);
    return { rows: 0, bytes: body.byteLength, sha256: sha256Of(body), body };
  }

  #bytes(files: BatchFiles, name: string): Buffer {
    return this.#spool.files.get(files.path(name))!;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
