import { isIP } from 'node:net';

interface Rules {
  readonly KAFKA_BROKERS: readonly string[];
  readonly KAFKA_TLS?: boolean;
  readonly KAFKA_TLS_CA_FILE?: string;
  readonly KAFKA_TLS_CERT_FILE?: string;
  readonly KAFKA_TLS_SERVER_NAME?: string;
  readonly KAFKA_SASL_MECHANISM?: string;
  readonly KAFKA_MSK_REGION?: string;
}

/** Whether connections use TLS. */
export function usesTls(settings: Rules): boolean {
  const { KAFKA_TLS, KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE, KAFKA_TLS_SERVER_NAME, KAFKA_SASL_MECHANISM } = settings;
  if (KAFKA_TLS !== undefined) return KAFKA_TLS;
  return (
    [KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE, KAFKA_TLS_SERVER_NAME].some((one) => one !== undefined) ||
    KAFKA_SASL_MECHANISM === 'AWS_MSK_IAM'
  );
}

/** The region of an MSK cluster, from its setting or from a broker's name such as `b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098`. */
export function mskRegionOf({ KAFKA_MSK_REGION: given, KAFKA_BROKERS: brokers }: Rules): string | undefined {
  return given ?? /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?:/.exec(brokers[0] ?? '')?.[1];
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}
