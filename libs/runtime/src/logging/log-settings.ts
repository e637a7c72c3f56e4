import { Type } from 'typebox';

/** The setting of the log, the same for every service. */
export const logSettings = {
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error'].map((level) => Type.Literal(level)),
    { default: 'info', description: 'Minimum log level' },
  ),
};
