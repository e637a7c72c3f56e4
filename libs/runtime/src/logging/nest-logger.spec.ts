import { describe, expect, it } from 'vitest';
import { createLogger } from './create-logger.ts';
import { NestLogger } from './nest-logger.ts';

describe('NestLogger', () => {
  it('messages of Nest reach the logger with their context, and start-up messages have level debug', () => {
    const lines: string[] = [];
    const nest = new NestLogger(createLogger({ name: 'shop', level: 'trace', stream: { write: (line: string) => void lines.push(line) } }));
    nest.log('Mapped {/things, GET} route', 'RouterExplorer');
    nest.error('It broke', 'Error: It broke\n  at x', 'ExceptionsHandler');
    nest.error(new Error('It broke again'), 'ExceptionsHandler');
    nest.warn({ a: 1 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'debug', context: 'RouterExplorer', msg: 'Mapped {/things, GET} route' },
      { level: 'error', context: 'ExceptionsHandler', msg: 'It broke', stack: 'Error: It broke\n  at x' },
      { level: 'error', context: 'ExceptionsHandler', msg: 'It broke again', err: { message: 'It broke again' } },
      { level: 'warn', msg: '{"a":1}' },
    ]);
  });
});
