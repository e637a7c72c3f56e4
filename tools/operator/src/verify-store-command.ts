import { randomUUID } from 'node:crypto';
import { awsAccessFrom, LakeError, openLakeClients, S3ObjectStore } from '@millrace/lake';
import { checkStore, type StoreReport } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';
import { showProgress } from './show-progress.ts';

const usage = './millrace verify store URL [--large-mb N] [--json]';
const exitCodes = { sound: 0, unsound: 1, unknown: 2 } as const;

const verdicts: Readonly<Record<StoreReport['verdict'], string>> = {
  sound: 'Every claim that exactly once needs holds on this store.',
  unsound: 'Exactly once cannot hold on this store: do not use it.',
  unknown: 'Some claims could not be tested, so nothing is known. Look at the failed calls, and run the check again.',
};

/**
 * Runs `./millrace verify store`. Exit code 0: each claim that exactly once needs holds. 1: the store refuted one. 2: one could not be
 * tested.
 */
export async function verifyStoreCommand(args: readonly string[], { env, out, progress, table, signal }: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage, flags: ['--json'], values: ['--large-mb'], words: ['URL'] });
  const { endpoint, bucket } = placeOf(given.words[0]!);
  const largeMb = given.integer('--large-mb', 1) ?? 64;
  if (largeMb > 5000) throw new OperatorError(`--large-mb must be at most 5000: S3 takes at most 5 GB in one PUT. Usage: ${usage}`);
  const access = awsAccessFrom(env);
  const { s3, glue } = openLakeClients({ ...access, ...(endpoint === undefined ? {} : { s3Endpoint: endpoint }) });
  try {
    const report = await showProgress(
      progress,
      { check: (total) => `Check ${total} claims about the store` },
      async (onProgress) =>
        await checkStore({
          store: new S3ObjectStore(s3, bucket),
          prefix: `_probes/verify-${randomUUID()}/`,
          largeBytes: largeMb * 1024 * 1024,
          signal,
          onProgress,
        }),
    );
    if (given.has('--json')) out.line(JSON.stringify(report));
    else for (const line of storeText(report, table)) out.line(line);
    return exitCodes[report.verdict];
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
    throw new OperatorError(
      `${error.message}. Check the URL and the access: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and AWS_REGION.`,
      { cause: error },
    );
  } finally {
    s3.destroy();
    glue.destroy();
  }
}

function storeText({ claims, verdict, leftovers }: StoreReport, table: OperatorContext['table']): string[] {
  return [
    table(
      ['claim', 'needed', 'outcome', 'evidence'],
      claims.map(({ name, required, outcome, detail }) => [name, required ? 'yes' : 'no', outcome, detail]),
    ),
    '',
    verdicts[verdict],
    ...(leftovers > 0 ? [`${leftovers} or more objects under _probes/ could not be deleted. They do no harm.`] : []),
  ];
}

/** `http://host:port/bucket` of any store, or `s3://bucket` of the SDK's own endpoint. */
function placeOf(text: string): { readonly endpoint: string | undefined; readonly bucket: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 's3:' && url.hostname !== '' && url.pathname.length <= 1) return { endpoint: undefined, bucket: url.hostname };
  const [, bucket = '', ...more] = url?.pathname.split('/') ?? [];
  if (url === undefined || !/^https?:$/.test(url.protocol) || bucket === '' || more.join('') !== '')
    throw new OperatorError(`"${text}" is not the URL of a bucket: give http://host:port/bucket or s3://bucket. Usage: ${usage}`);
  return { endpoint: url.origin, bucket };
}
