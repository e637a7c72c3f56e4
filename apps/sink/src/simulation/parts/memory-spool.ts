import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { EncodedFile, RowId, SegmentEncoder } from '../../spool/segment-encoder.ts';
import { SinkError } from '../../errors.ts';
import type { Segment } from '../../spool/batch.ts';
import type { BatchFiles, LeftBatch, Spool } from '../../spool/spool.ts';
import type { Incarnation } from './incarnation.ts';

const manifestFile = 'manifest.json';

/** A disk in memory. It outlives the incarnations that use it, unless the machine is lost with it. */
export class SimulatedDisk {
  /** By `<batch id>/<file>`. */
  readonly files = new Map<string, Buffer>();
  /** The owner of each batch. */
  readonly owners = new Map<string, { readonly life: Incarnation; readonly partition: number }>();
  /** Corrupt batches that were set aside. */
  readonly setAside: string[] = [];
  /** Number of next writes that the disk refuses as full. */
  writesToRefuse = 0;

  /** @throws SinkError `disk-full` */
  takeWrite(): void {
    if (this.writesToRefuse === 0) return;
    this.writesToRefuse -= 1;
    throw new SinkError('disk-full', 'the disk of the spool is full (ENOSPC)');
  }

  /** @throws Error as a disk does when the batch's directory is gone */
  expectThere(batchId: string): void {
    if (!this.owners.has(batchId))
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${batchId}'`), { code: 'ENOENT' });
  }

  /** Deletes every batch that has no manifest. */
  sweepOpen(): void {
    for (const batchId of this.owners.keys()) {
      if (this.files.has(`${batchId}/${manifestFile}`)) continue;
      for (const name of this.namesOf(batchId)) this.files.delete(name);
      this.owners.delete(batchId);
    }
  }

  namesOf(batchId: string): string[] {
    return [...this.files.keys()].filter((name) => name.startsWith(`${batchId}/`));
  }
}

/** One incarnation's spool on the disk in memory. */
export class MemorySpool implements Spool {
  readonly #life: Incarnation;
  readonly #disk: SimulatedDisk;

  constructor(life: Incarnation, disk: SimulatedDisk) {
    this.#life = life;
    this.#disk = disk;
  }

  async open(partition: number, batchId: string): Promise<BatchFiles> {
    this.#disk.takeWrite();
    this.#disk.owners.set(batchId, { life: this.#life, partition });
    return this.#filesOf(batchId);
  }

  async left(): Promise<readonly LeftBatch[]> {
    const left: LeftBatch[] = [];
    for (const [batchId, { life, partition }] of this.#disk.owners) {
      if (life.alive) continue;
      if (this.#disk.files.has(`${batchId}/${manifestFile}`)) {
        this.#disk.owners.set(batchId, { life: this.#life, partition });
        left.push({ partition, files: this.#filesOf(batchId) });
      } else {
        this.#drop(batchId);
      }
    }
    return left;
  }

  #filesOf(batchId: string): BatchFiles {
    const disk = this.#disk;
    const { files } = disk;
    const path = (name: string): string => `${batchId}/${name}`;
    return {
      batchId,
      path,
      body: (name) => files.get(path(name))!,
      write: async (name, chunk, position) =>
        await this.#life.effect(`append ${name}`, () => {
          disk.expectThere(batchId);
          const before = (files.get(path(name)) ?? Buffer.alloc(0)).subarray(0, position);
          // A full disk keeps a part of the refused chunk.
          if (disk.writesToRefuse > 0) files.set(path(name), Buffer.concat([before, chunk.subarray(0, chunk.byteLength / 2)]));
          disk.takeWrite();
          files.set(path(name), Buffer.concat([before, chunk]));
        }),
      seal: async (sealed) =>
        await this.#life.effect('seal', () => {
          disk.expectThere(batchId);
          disk.takeWrite();
          for (const { file, bytes } of sealed) files.set(path(file), files.get(path(file))!.subarray(0, bytes));
        }),
      verify: async (name, expected) => {
        await this.#life.goesOn();
        const bytes = files.get(path(name));
        if (bytes === undefined || crc32(bytes) !== expected)
          throw new SinkError('spool-corrupt', `${name} of ${batchId} does not match its checksum`);
      },
      read: async (name) => files.get(path(name))!,
      persist: async (_names, manifest) =>
        await this.#life.effect('persist', () => {
          disk.expectThere(batchId);
          disk.takeWrite();
          files.set(path(manifestFile), Buffer.from(manifest));
        }),
      manifest: async () => files.get(path(manifestFile)),
      hash: async (name) => {
        await this.#life.goesOn();
        const bytes = files.get(path(name));
        return bytes === undefined ? undefined : sha256Of(bytes);
      },
      remove: async (name) => {
        if (this.#life.alive) files.delete(path(name));
      },
      discard: async () => {
        if (this.#life.alive) this.#drop(batchId);
      },
      setAside: async () => {
        await this.#life.goesOn();
        this.#disk.setAside.push(batchId);
        this.#drop(batchId);
      },
    };
  }

  #drop(batchId: string): void {
    for (const name of this.#disk.namesOf(batchId)) this.#disk.files.delete(name);
    this.#disk.owners.delete(batchId);
  }
}

/** "Encodes" a segment by keeping its lines, so that a test can read the rows of the table. */
export class LineEncoder implements SegmentEncoder {
  readonly #life: Incarnation;
  readonly #disk: SimulatedDisk;

  constructor(life: Incarnation, disk: SimulatedDisk) {
    this.#life = life;
    this.#disk = disk;
  }

  async encode(files: BatchFiles, segment: Segment, name: string): Promise<EncodedFile> {
    return await this.#life.effect(`encode ${segment.dt}`, () => {
      this.#disk.takeWrite();
      const body = this.#disk.files.get(files.path(segment.file))!;
      const rows = body.toString().split('\n').length - 1;
      if (rows !== segment.rows) throw new SinkError('row-count', `${segment.rows} lines became ${rows} rows`);
      this.#disk.files.set(files.path(name), body);
      return { rows, bytes: body.byteLength, sha256: sha256Of(body) };
    });
  }

  async asIs(files: BatchFiles, name: string): Promise<EncodedFile> {
    const body = this.#disk.files.get(files.path(name))!;
    return { rows: 0, bytes: body.byteLength, sha256: sha256Of(body) };
  }

  async rowIds(file: Uint8Array, from: number): Promise<readonly RowId[]> {
    return rowsOf(file)
      .map(({ _offset, event_id }) => ({ offset: _offset, eventId: event_id }))
      .filter(({ offset }) => offset >= from);
  }
}

/** The rows of a file as the simulation's encoder writes it. */
export function rowsOf(file: Uint8Array): { _offset: number; event_id: string }[] {
  return Buffer.from(file)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { _offset: number; eventId: string })
    .map(({ _offset, eventId }) => ({ _offset, event_id: eventId }));
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
