import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';

/** A disk of a service. */
export interface SmallDisk {
  /** Directory of the disk, as the service sees it. */
  readonly folder: string;
  /** Command that starts the service with the disk. */
  readonly wrapper: readonly string[];
}

/** Larger than the least limit of the outbox. */
const sizeMb = 96;

/** Makes a disk of 96 MB in a namespace, without root. Undefined where the system allows no namespaces of users. */
export async function makeSmallDisk(folder: string): Promise<SmallDisk | undefined> {
  mkdirSync(folder, { recursive: true });
  // `exec` keeps the process id, so that signals and limits reach the service.
  const script = `mount -t tmpfs -o size=${sizeMb}m tmpfs "$0" && exec "$@"`;
  const wrapper = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, folder];
  const works = await promisify(execFile)(wrapper[0]!, [...wrapper.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  return works ? { folder, wrapper } : undefined;
}
