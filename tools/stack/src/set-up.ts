import { streams } from '@millrace/contracts';
import { StackError } from './errors.mjs';
import { createLake } from './lake-setup.ts';
import { readSettings } from './settings.ts';

// For parts that somebody else starts (docker/compose.yaml, deploy/helm): creates topic, bucket, database and table, and ends. The
// environment is used as it is: without an endpoint and keys in it, the SDK finds AWS and the identity of the pod.
try {
  for (const risk of await createLake(readSettings(process.env), process.env, streams)) process.stderr.write(`millrace: ${risk}\n`);
} catch (error) {
  process.stderr.write(
    `millrace: topic, bucket and table could not be set up: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = error instanceof StackError ? 78 : 1;
}
