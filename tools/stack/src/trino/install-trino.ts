import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce, must, type InstallContext } from '../install-once.ts';
import { toolFolder } from '../places.mjs';
import { trinoPath } from '../settings.ts';

/** The stamp of an installed Trino, and the list that it holds. */
export const trinoStamp = ['trino.stamp', 'trino-pom.xml'] as const;

/** Connectors in the cache. A plugin that nothing uses would only lengthen the start. */
const connectors = ['hive', 'iceberg'];

/** Fetches Trino's server and connectors, 0.8 GB, and unpacks them into the cache. */
export async function installTrino(context: InstallContext): Promise<void> {
  await installOnce(context, ...trinoStamp, async () => {
    const target = trinoPath(context.settings);
    const unpacked = `${target}.unpacked`;
    for (const folder of [target, unpacked]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(target, 'plugin'), { recursive: true });
    context.note('0.8 GB');
    const onLine = (line: string): void => {
      const [, name] = /^\[INFO\] (?:Downloading from \S+: \S+\/|Unpacking \S+\/)([^/ ]+\.(?:zip|tar\.gz))/.exec(line) ?? [];
      if (name !== undefined) context.note(name);
    };
    // -C fails on a checksum that differs.
    const flags = ['-B', '-ntp', '-C', '-f', join(toolFolder, trinoStamp[1]), 'dependency:unpack-dependencies'];
    const options = ['-DexcludeTransitive=true', `-DoutputDirectory=${unpacked}`];
    try {
      await must(context, 'Maven could not fetch Trino', 'mvn', [...flags, ...options, `-DmarkersDirectory=${unpacked}.markers`], onLine);
      const find = (prefix: string): string =>
        join(
          unpacked,
          readdirSync(unpacked).find((name) => name.startsWith(prefix))!,
        );
      renameSync(join(find('trino-server-core-'), 'lib'), join(target, 'lib'));
      for (const name of connectors) renameSync(find(`trino-${name}-`), join(target, 'plugin', name));
    } finally {
      for (const folder of [unpacked, `${unpacked}.markers`]) if (existsSync(folder)) rmSync(folder, { recursive: true });
    }
  });
}
