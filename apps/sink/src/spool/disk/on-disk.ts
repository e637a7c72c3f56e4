import { SinkError } from '../../errors.ts';

/** ENOSPC, EDQUOT and EFBIG (a limit set on the process) are outages of the disk. */
export async function onDisk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      throw new SinkError('disk-full', `the disk of the spool is full (${code})`, { cause: error });
    }
    throw error;
  }
}
