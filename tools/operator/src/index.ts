export { OperatorError } from './errors.ts';
export { operate, operatorCommands } from './operate.ts';
export type { OperatorContext, OperatorScreen } from './operator-context.ts';
