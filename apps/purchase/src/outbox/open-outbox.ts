import { mkdir } from 'node:fs/promises';
import type { Stream } from '@millrace/contracts';
import type { EventMessage } from '../publish/event-message.ts';
import { lockDirectory } from './directory-lock.ts';
import { DiskDirectory } from './disk-directory.ts';
import { messageCodecOf } from './message-codec.ts';
import { OutboxLog } from './outbox-log.ts';
import { OutboxQueue } from './outbox-queue.ts';

/** Small beside the limit, so that space is freed while the outbox drains; large enough that creating one is rare. */
const segmentBytesMax = 16 * 1024 * 1024;
/** One sync covers what gathered during the one before; this bounds its length. */
const commitBytesMax = 4 * 1024 * 1024;
/** Events of one partition that are published together. */
const groupEntriesMax = 500;

/** The outbox of an instance. */
export interface Outbox {
  readonly log: OutboxLog;
  readonly queue: OutboxQueue<EventMessage>;
  /** Closes the files and releases the directory. */
  close(): Promise<void>;
}

/**
 * Opens the outbox in a directory, which it creates and locks.
 *
 * @param bytesMax Maximum bytes on disk, ≥ 1.
 * @param streams Streams whose events it may hold.
 * @throws OutboxError `locked` when another process has the directory, `damaged` when a durable event cannot be read
 */
export async function openOutbox(path: string, bytesMax: number, streams: readonly Stream[]): Promise<Outbox> {
  await mkdir(path, { recursive: true });
  const lock = lockDirectory(path);
  try {
    const log = await OutboxLog.open(new DiskDirectory(path), { bytesMax, segmentBytesMax, commitBytesMax });
    const queue = await OutboxQueue.open(log, messageCodecOf(streams), groupEntriesMax);
    return {
      log,
      queue,
      close: async () => {
        await log.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
