import { LakeError } from '@millrace/lake';
import { OperationError } from '@millrace/operations';
import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';

/** A command of the operator; resolves with the exit code. */
export type OperatorCommand = (args: readonly string[], context: OperatorContext) => Promise<number>;

// Each command is loaded when it runs: DuckDB and the Kafka client take longer to load than most commands to run.
const commands: Readonly<Record<string, () => Promise<OperatorCommand>>> = {
  audit: async () => (await import('./audit-command.ts')).auditCommand,
  crawl: async () => (await import('./crawl-command.ts')).crawlCommand,
  trace: async () => (await import('./trace-command.ts')).traceCommand,
  rejects: async () => (await import('./rejects/rejects-command.ts')).rejectsCommand,
  repair: async () => (await import('./repair-command.ts')).repairCommand,
  replay: async () => (await import('./replay/replay-command.ts')).replayCommand,
  doctor: async () => (await import('./doctor-command.ts')).doctorCommand,
  'verify store': async () => (await import('./verify-store-command.ts')).verifyStoreCommand,
};

/** Names of the commands. */
export const operatorCommands: readonly string[] = Object.keys(commands);

/**
 * Runs a command.
 *
 * @throws OperatorError with a message that states the fact and the remedy
 */
export async function operate(name: string, args: readonly string[], context: OperatorContext): Promise<number> {
  const load = commands[name];
  if (load === undefined) throw new OperatorError(`There is no operator command "${name}"; there are ${operatorCommands.join(', ')}.`);
  const command = await load();
  try {
    return await command(args, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof OperationError) throw new OperatorError(error.message, { cause: error });
    throw error instanceof LakeError ? toOperatorError(error, context) : error;
  }
}

function toOperatorError(error: LakeError, { env }: OperatorContext): OperatorError {
  const where = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? 'AWS';
  if (error.cause instanceof Error && error.cause.name === 'NoSuchBucket')
    return new OperatorError(
      `There is no bucket ${env['LAKE_BUCKET'] ?? 'millrace-lake'} at ${where}. LAKE_BUCKET names it; ./millrace up creates it.`,
    );
  if (error.code === 'unavailable')
    return new OperatorError(
      `${error.message}. The store at ${where} does not answer: start it with ./millrace start aws, or point AWS_ENDPOINT_URL at it.`,
    );
  if (error.code === 'denied')
    return new OperatorError(
      `${error.message}. Give credentials that may read the bucket and the catalog (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).`,
    );
  return new OperatorError(`${error.message}. ./millrace audit names further faults.`);
}
