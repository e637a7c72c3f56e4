import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { readConfig } from './read-config.ts';

const schema = Type.Object({
  SHOP_PORT: Type.Integer({ minimum: 1, maximum: 65535, default: 3001, description: 'Port to listen on.' }),
  SHOP_RATIO: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  SHOP_STRICT: Type.Boolean({ default: false }),
  SHOP_MODE: Type.Union([Type.Literal('fast'), Type.Literal('safe')], { default: 'safe' }),
  KAFKA_BROKERS: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, default: ['127.0.0.1:9092'] }),
  SHOP_BUCKET: Type.String({ minLength: 3, description: 'Bucket of the shop.' }),
  SHOP_ADMIN_TOKEN: Type.Optional(Type.String({ minLength: 32 })),
});

function problemsOf(env: Record<string, string>, check?: () => string[]): readonly string[] {
  try {
    readConfig(schema, { prefixes: ['SHOP_'], env, ...(check === undefined ? {} : { check }) });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('numbers, booleans and lists are parsed from text, and defaults are filled in', () => {
    const env = { SHOP_PORT: ' 80 ', SHOP_RATIO: '.5', SHOP_STRICT: 'true', SHOP_BUCKET: 'lake', KAFKA_BROKERS: 'a:1, b:2,', PATH: '/bin' };
    expect(readConfig(schema, { prefixes: ['SHOP_'], env })).toEqual({
      SHOP_PORT: 80,
      SHOP_RATIO: 0.5,
      SHOP_STRICT: true,
      SHOP_MODE: 'safe',
      SHOP_BUCKET: 'lake',
      KAFKA_BROKERS: ['a:1', 'b:2'],
    });
  });

  it('an empty variable counts as absent', () => {
    expect(readConfig(schema, { prefixes: ['SHOP_'], env: { SHOP_PORT: '', SHOP_BUCKET: 'lake' } }).SHOP_PORT).toBe(3001);
  });

  it('variables of a Kubernetes Service are ignored, even under the name of a setting, and misspelt settings are still refused', () => {
    const links = {
      SHOP_PORT: 'tcp://10.96.34.239:80',
      SHOP_SERVICE_HOST: '10.96.34.239',
      SHOP_SERVICE_PORT: '80',
      SHOP_PORT_80_TCP_ADDR: '10.96.34.239',
    };
    expect(readConfig(schema, { prefixes: ['SHOP_'], env: { SHOP_BUCKET: 'lake', ...links } }).SHOP_PORT).toBe(3001);
    expect(problemsOf({ SHOP_BUCKET: 'lake', ...links, SHOP_PORTT: '1', SHOP_SERVICE: '1' })).toEqual([
      'SHOP_PORTT is not a known setting; did you mean SHOP_PORT?',
      'SHOP_SERVICE is not a known setting; did you mean SHOP_STRICT?',
    ]);
  });

  it('the error lists every problem in plain sentences', () => {
    expect(
      problemsOf({
        SHOP_PORT: '99999',
        SHOP_RATIO: 'half',
        SHOP_STRICT: 'maybe',
        SHOP_MODE: 'slow',
        KAFKA_BROKERS: ',',
        SHOP_PROT: '1',
        SHOP_WHATEVER_ELSE: '2',
      }),
    ).toEqual([
      'SHOP_BUCKET is required: Bucket of the shop.',
      'SHOP_PORT must be at most 65535 (it is "99999").',
      'SHOP_RATIO must be a number (it is "half").',
      'SHOP_STRICT must be true or false (it is "maybe").',
      'SHOP_MODE must be one of fast, safe (it is "slow").',
      'KAFKA_BROKERS must have at least 1 item (it is ",").',
      'SHOP_PROT is not a known setting; did you mean SHOP_PORT?',
      'SHOP_WHATEVER_ELSE is not a known setting.',
    ]);
  });

  it('a fraction, a suffix or a hexadecimal number is not a whole number', () => {
    expect(problemsOf({ SHOP_PORT: '80.5', SHOP_BUCKET: 'lake' })).toHaveLength(1);
    expect(problemsOf({ SHOP_PORT: '80x', SHOP_BUCKET: 'lake' })).toHaveLength(1);
    expect(problemsOf({ SHOP_PORT: '0x50', SHOP_BUCKET: 'lake' })).toHaveLength(1);
  });

  it('the error does not contain the value of a secret', () => {
    const [problem] = problemsOf({ SHOP_BUCKET: 'lake', SHOP_ADMIN_TOKEN: 'hunter2' });
    expect(problem).toBe('SHOP_ADMIN_TOKEN must be at least 32 characters long.');
  });

  it('rules between settings are checked only when each setting is valid', () => {
    expect(problemsOf({ SHOP_BUCKET: 'lake' }, () => ['A must be below B.'])).toEqual(['A must be below B.']);
    expect(problemsOf({ SHOP_PORT: '0', SHOP_BUCKET: 'lake' }, () => ['A must be below B.'])).toEqual([
      'SHOP_PORT must be at least 1 (it is "0").',
    ]);
  });

  it('the settings are frozen', () => {
    expect(Object.isFrozen(readConfig(schema, { prefixes: [], env: { SHOP_BUCKET: 'lake' } }))).toBe(true);
  });
});
