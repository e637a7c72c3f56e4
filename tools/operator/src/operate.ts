import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';

/** A command of the operator; resolves with the exit code. */
export type OperatorCommand = (args: readonly string[], context: OperatorContext) => Promise<number>;

// Loaded when called: DuckDB and the Kafka client cost more to load than most commands take.
const commands: Readonly<Record<string, () => Promise<OperatorCommand>>> = {};

/** Names of the commands. */
export const operatorCommands: readonly string[] = Object.keys(commands);

/**
 * Runs a command.
 *
 * @throws OperatorError whose message says what to do next
 */
export async function operate(name: string, args: readonly string[], context: OperatorContext): Promise<number> {
  const load = commands[name];
  if (load === undefined) throw new OperatorError(`There is no operator command "${name}"; there are ${operatorCommands.join(', ')}.`);
  const command = await load();
  return await command(args, context);
}
