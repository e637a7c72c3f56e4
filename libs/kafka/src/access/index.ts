export { KafkaRefusedError, KafkaSettingsError, KafkaTokenError, type KafkaRefusalKind, type KafkaTokenErrorCode } from './errors.ts';
export { kafkaAccessFrom } from './kafka-access-from.ts';
export { kafkaAccessOf, plainAccess, type KafkaAccess, type KafkaSasl } from './kafka-access.ts';
export { kafkajsAccess } from './kafkajs-access.ts';
export {
  givenKafkaSettings,
  kafkaPrefixes,
  kafkaProblems,
  kafkaSettings,
  optionalKafkaSettings,
  type KafkaSettings,
  type OptionalKafkaSettings,
} from './kafka-settings.ts';
export { kafkaRefusalOf, nameRefusals } from './refusal.ts';
