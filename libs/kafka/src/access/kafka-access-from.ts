import { validatorFor } from '@millrace/contracts';
import { kafkaAccessOf, type KafkaAccess } from './kafka-access.ts';
import { KafkaSettingsError } from './errors.ts';
import { kafkaProblems, kafkaSettings, type KafkaSettings } from './kafka-settings.ts';

/**
 * Reads the access from an environment, for commands without a configuration of their own.
 *
 * @throws KafkaSettingsError naming every problem at once
 */
export function kafkaAccessFrom(env: Readonly<Record<string, string | undefined>>): KafkaAccess {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(kafkaSettings)) {
    const text = env[name]?.trim() ?? '';
    const value = text === '' ? ('default' in schema ? schema.default : undefined) : valueOf(name, text);
    if (value === undefined) continue;
    if (validatorFor(schema).check(value)) values[name] = value;
    // The value may be a secret.
    else problems.push(`${name} is not valid: ${String((schema as { description?: string }).description)}.`);
  }
  const settings = values as KafkaSettings;
  if (problems.length === 0) problems.push(...kafkaProblems(settings));
  if (problems.length > 0) throw new KafkaSettingsError(problems);
  return kafkaAccessOf(settings);
}

function valueOf(name: string, text: string): unknown {
  if (name === 'KAFKA_BROKERS')
    return text
      .split(',')
      .map((broker) => broker.trim())
      .filter((broker) => broker !== '');
  if (name !== 'KAFKA_TLS') return text;
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
}
