import { describe, expect, it } from 'vitest';
import { readPurchaseConfig } from './config.ts';

describe('readPurchaseConfig', () => {
  it('the settings have defaults for everything, and the default host is loopback', () => {
    expect(readPurchaseConfig({})).toMatchObject({
      PURCHASE_HOST: '127.0.0.1',
      PURCHASE_PORT: 3001,
      KAFKA_BROKERS: ['127.0.0.1:9092'],
      PURCHASE_SEND_PARTITION_BYTES_MAX: 524_288,
    });
  });

  it.each([
    [{ PURCHASE_LINGER: '5' }, /PURCHASE_LINGER is not a known setting; did you mean PURCHASE_LINGER_MS\?/],
    [{ PURCHASE_LINGER_MS: 'soon' }, /PURCHASE_LINGER_MS must be a whole number/],
    [{ KAFKA_BROKERS: 'kafka' }, /KAFKA_BROKERS/],
    [{ PURCHASE_QUEUE_EVENTS_MAX: '13000' }, /PURCHASE_QUEUE_EVENTS_MAX must be at least 4\/3 of PURCHASE_BATCH_ITEMS_MAX/],
    [{ PURCHASE_BATCH_BYTES_HELD_MAX: '2048' }, /PURCHASE_BATCH_BYTES_HELD_MAX must not be below PURCHASE_BATCH_BYTES_MAX/],
    [{ PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS: '1000' }, /PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS must be above PURCHASE_KAFKA_ANSWER_MS_MAX/],
    [{ PURCHASE_KAFKA_BREAKER_BREAK_DURATION_MS: '9000' }, /Pipeline kafka: .*breakDurationMs/],
  ])('the settings %j are refused', (env, message) => {
    expect(() => readPurchaseConfig(env)).toThrow(message);
  });
});
