import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from '../build.ts';
import { StackError } from '../errors.mjs';
import type { InstallContext } from '../install-once.ts';
import { findJava } from '../machine/find-java.mjs';
import type { Env } from '../places.mjs';
import type { Planned } from '../process-table.ts';
import { serviceEnv, trinoPath, type Settings } from '../settings.ts';
import { installTrino } from './install-trino.ts';

/** Oldest Java that Trino 476 runs on. */
export const trinoJava = 24;

/** How Trino starts, with the catalogs `hive` and `iceberg` over the lake's Glue and S3. It fetches Trino first. */
export async function planTrino(context: InstallContext, env: Env): Promise<Planned> {
  const { settings } = context;
  // Looked for before the download.
  const java = await requireTrinoJava(env, context);
  await installTrino(context);
  const folder = join(settings.home, 'trino');
  // The files below are made from the settings of this start.
  rmSync(join(folder, 'etc'), { recursive: true, force: true });
  mkdirSync(join(folder, 'etc', 'catalog'), { recursive: true });
  const files = { 'config.properties': serverProperties(settings), ...catalogs(settings) };
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(folder, 'etc', name), propertiesText(lines));
  const port = settings.ports.trino;
  return {
    plan: {
      name: 'trino',
      kind: 'part',
      command: java,
      args: javaArgs(settings),
      env: { ...serviceEnv(settings, env), TZ: 'UTC' },
      cwd: folder,
      url: `http://127.0.0.1:${port}`,
      health: `trino://127.0.0.1:${port}`,
      startMsMax: 240_000,
    },
    ports: [{ port, setting: 'TRINO_PORT' }],
  };
}

/**
 * Finds the Java that Trino runs on.
 *
 * @throws StackError when every Java of the machine is too old
 */
export async function requireTrinoJava(env: Env, interrupts: Interrupts): Promise<string> {
  const java = await findJava(trinoJava, env, interrupts);
  if (java !== undefined) return java;
  throw new StackError(
    `Trino needs Java ${trinoJava} or newer: JAVA_HOME, the PATH and the system's Java folders hold none. Install a newer JDK, such as Temurin 25.`,
  );
}

function javaArgs(settings: Settings): string[] {
  return [
    '-Xmx1536m',
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    // The quick compiler alone: Trino starts with a quarter less work, and a local table is small.
    '-XX:TieredStopAtLevel=1',
    '-XX:ReservedCodeCacheSize=256M',
    '-Djdk.attach.allowAttachSelf=true',
    '--enable-native-access=ALL-UNNAMED',
    '--sun-misc-unsafe-memory-access=allow',
    '--add-modules=jdk.incubator.vector',
    '-Dconfig=etc/config.properties',
    '-cp',
    join(trinoPath(settings), 'lib', '*'),
    'io.trino.server.TrinoServer',
  ];
}

function serverProperties(settings: Settings): Record<string, string> {
  const port = settings.ports.trino;
  return {
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'node.environment': 'millrace',
    'node.id': 'millrace-local',
    'http-server.http.port': String(port),
    // Otherwise it listens on every address.
    'node.bind-ip': '127.0.0.1',
    'node.internal-address': '127.0.0.1',
    'discovery.uri': `http://127.0.0.1:${port}`,
    'plugin.dir': join(trinoPath(settings), 'plugin'),
    'catalog.config-dir': 'etc/catalog',
    'query.max-memory': '768MB',
    'query.max-memory-per-node': '768MB',
    'memory.heap-headroom-per-node': '384MB',
  };
}

function catalogs({ glueUrl, s3Url }: Settings): Record<string, Record<string, string>> {
  // Keys come from the environment, never from a file.
  const storage = {
    'hive.metastore.glue.region': '${ENV:AWS_REGION}',
    'hive.metastore.glue.endpoint-url': glueUrl,
    'fs.native-s3.enabled': 'true',
    's3.endpoint': s3Url,
    's3.region': '${ENV:AWS_REGION}',
    's3.path-style-access': 'true',
  };
  return {
    'catalog/hive.properties': {
      'connector.name': 'hive',
      'hive.metastore': 'glue',
      // Timestamps of the table have microseconds; the default cuts them off.
      'hive.timestamp-precision': 'MICROSECONDS',
      // As in Athena, one catalog names tables of both kinds.
      'hive.iceberg-catalog-name': 'iceberg',
      ...storage,
    },
    'catalog/iceberg.properties': { 'connector.name': 'iceberg', 'iceberg.catalog.type': 'glue', ...storage },
  };
}

function propertiesText(lines: Readonly<Record<string, string>>): string {
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
