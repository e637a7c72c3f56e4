import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adminFile } from './admin/admin-file.ts';
import { requestOf } from './admin/control-request.ts';
import { ExperimentError } from './errors.ts';

// `./millrace chaos attack`, `attacks` and `stop`: commands to the chaos profile that `./millrace chaos serve` runs.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, set: { type: 'string', multiple: true, default: [] } },
});

try {
  const answer = await fetch(`${endpoint()}${requestOf(positionals, values)}`).catch((cause: unknown) => {
    throw outsideProfile(cause);
  });
  const body = (await answer.json()) as { readonly detail?: string };
  if (!answer.ok) throw new ExperimentError('refused', body.detail ?? `The endpoint answered ${answer.status}.`);
  process.stdout.write(`${JSON.stringify(body, undefined, 1)}\n`);
} catch (error) {
  if (!(error instanceof ExperimentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 3;
}

function endpoint(): string {
  try {
    const home = join(import.meta.dirname, '..', '..', '..', '.millrace', 'chaos-serve');
    return (JSON.parse(readFileSync(adminFile(home), 'utf8')) as { readonly url: string }).url;
  } catch (cause) {
    throw outsideProfile(cause);
  }
}

function outsideProfile(cause: unknown): ExperimentError {
  return new ExperimentError(
    'refused',
    'No chaos profile runs, and attacks are refused outside of one: start it with ./millrace chaos serve.',
    {
      cause,
    },
  );
}
