import { copyFileSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * A module that services preload. It keeps a copy of each file of a directory as it was at the last fsync. A power cut leaves that state
 * on the disk. A copy is complete before the service learns that its fsync succeeded. With `CHAOS_FSYNC=off`, a planted weakness,
 * the calls of the service succeed and do nothing.
 */
const { CHAOS_POWER_FOLDER: folder = '', CHAOS_POWER_COPY: copies = '', CHAOS_FSYNC: fsync = 'on' } = process.env;

interface SyncedHandle {
  readonly fd: number;
}
type Sync = (this: SyncedHandle) => Promise<void>;

const handle = await open(process.execPath, 'r');
const methods = Object.getPrototypeOf(handle) as Record<'sync' | 'datasync', Sync>;
await handle.close();
mkdirSync(copies, { recursive: true });
let copied = 0;
for (const name of ['sync', 'datasync'] as const) {
  const real = methods[name];
  methods[name] = async function (this: SyncedHandle): Promise<void> {
    if (fsync === 'off') return;
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    // Writes that begin during the fsync are not covered by it, so the copy comes first.
    const keep = path === folder ? entriesOf() : dirname(path) === folder ? copyOf(path) : undefined;
    await real.call(this);
    keep?.();
  };
}

/** Keeps the content of a file. */
function copyOf(path: string): () => void {
  copied += 1;
  const fresh = join(copies, `.${process.pid}-${copied}`);
  copyFileSync(path, fresh);
  return () => renameSync(fresh, join(copies, `content-${basename(path)}`));
}

/** Keeps the entries of the directory. A file without a durable entry is lost with its content. */
function entriesOf(): () => void {
  const names = readdirSync(folder);
  return () => {
    writeFileSync(join(copies, '.entries'), JSON.stringify(names));
    renameSync(join(copies, '.entries'), join(copies, 'entries'));
    for (const file of readdirSync(copies))
      if (file.startsWith('content-') && !names.includes(file.slice('content-'.length))) rmSync(join(copies, file), { force: true });
  };
}
