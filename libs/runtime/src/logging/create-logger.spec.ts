import { describe, expect, it } from 'vitest';
import { createLogger } from './create-logger.ts';
import { isSecretName } from './redact.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ name: 'shop', stream: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the logger', () => {
  it('the logger writes one JSON object per line with level, ISO 8601 time, service, sentence and fields', () => {
    const [line] = logged((logger) => logger.info({ partition: 3 }, 'A lane was assigned.'));
    expect(line).toMatchObject({ level: 'info', service: 'shop', msg: 'A lane was assigned.', partition: 3 });
    expect(line!['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('the logger omits lines below its level', () => {
    expect(logged((logger) => logger.debug('detail'))).toEqual([]);
  });

  it('the logger redacts fields that hold secrets, even nested ones', () => {
    const [line] = logged((logger) =>
      logger.info({ password: 'a', headers: { authorization: 'b' }, config: { aws: { secretAccessKey: 'c' } } }, 'x'),
    );
    expect(line).toMatchObject({
      password: '[redacted]',
      headers: { authorization: '[redacted]' },
      config: { aws: { secretAccessKey: '[redacted]' } },
    });
  });

  it('the logger redacts secrets in sentences, errors and stacks', () => {
    const [line] = logged((logger) =>
      logger.error(
        { err: new Error('connect redis://me:hunter2@127.0.0.1 failed') },
        'Sent Authorization: Bearer abcdefgh12345678 to https://b/k?X-Amz-Signature=deadbeef&x=1',
      ),
    );
    expect(JSON.stringify(line)).not.toMatch(/hunter2|abcdefgh12345678|deadbeef/);
    expect(line!['msg']).toContain('&x=1');
  });
});

describe('isSecretName', () => {
  it.each(['AWS_SECRET_ACCESS_KEY', 'QUERY_API_KEYS', 'sessionToken', 'Authorization'])('isSecretName is true for %s', (name) =>
    expect(isSecretName(name)).toBe(true),
  );
  it.each(['PURCHASE_PORT', 'KAFKA_BROKERS', 'SINK_FLUSH_BYTES'])('isSecretName is false for %s', (name) =>
    expect(isSecretName(name)).toBe(false),
  );
});
