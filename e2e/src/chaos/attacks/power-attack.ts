import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundedAttack, numberOf, type Attack, type PoweredFolder, type ServiceName } from './attack.ts';

/**
 * The power fails after `afterSeconds` (0): the process dies by SIGKILL, and its files lose everything that no fsync confirmed. A rollback
 * starts the process again.
 */
export const powerCut: Attack = async (scene, { target, seconds, args }) => {
  const powered = scene.poweredFolderOf(target as ServiceName);
  if (powered === undefined) throw new Error(`The files of ${target} cannot lose their power: only those of purchase can.`);
  const processes = scene.processesOf(target as ServiceName);
  let cut: Promise<LostBytes> | undefined;
  const cutNow = async (): Promise<LostBytes> =>
    await (cut ??= Promise.all(processes.map(async (one) => await one.kill('SIGKILL'))).then(() => dropUnsynced(powered)));
  const timer = setTimeout(() => void cutNow(), numberOf(args, 'afterSeconds', 0) * 1000);
  return await Promise.resolve(
    boundedAttack(seconds, async () => {
      clearTimeout(timer);
      const { before, after } = await cutNow();
      const proof = `${processes.length} processes lost their power; of ${before} bytes on the disk ${after} had been synced`;
      return { tookEffect: processes.every(({ exit }) => exit?.signal === 'SIGKILL') && before > 0, proof };
    }),
  );
};

interface LostBytes {
  readonly before: number;
  readonly after: number;
}

/** Replaces the files of a directory by the state at their last fsync. */
export function dropUnsynced({ folder, copies }: PoweredFolder): LostBytes {
  const before = bytesIn(folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const list = join(copies, 'entries');
  const entries = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as string[]) : [];
  for (const name of entries) {
    const content = join(copies, `content-${name}`);
    if (existsSync(content)) copyFileSync(content, join(folder, name));
    else writeFileSync(join(folder, name), '');
  }
  return { before, after: bytesIn(folder) };
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
