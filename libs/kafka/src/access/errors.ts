import { CodedError } from '@millrace/resilience';

/** Why no token could be had. */
export type KafkaTokenErrorCode =
  /** The token endpoint refused the client, its secret or its scope. */
  | 'token-refused'
  /** The token endpoint did not answer, or failed. */
  | 'token-unavailable';

/** Thrown when a login needs a token and the token endpoint gives none. */
export class KafkaTokenError extends CodedError {
  readonly code: KafkaTokenErrorCode;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;

  constructor(code: KafkaTokenErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'token-unavailable';
  }
}

/** Thrown when the settings of the connection to Kafka are wrong. */
export class KafkaSettingsError extends CodedError {
  readonly code = 'invalid-settings';
  readonly retryable = false;

  constructor(readonly problems: readonly string[]) {
    super(problems.join(' '));
  }
}

/** What Kafka, or the client for it, refuses. */
export type KafkaRefusalKind =
  /** The broker refused user name, password or token. */
  | 'login'
  /** The broker does not offer the SASL mechanism. */
  | 'mechanism'
  /** The token endpoint refused the client. */
  | 'token'
  /** No trusted CA signed the certificate of the broker. */
  | 'unknown-ca'
  /** The certificate of the broker has expired or is not valid yet. */
  | 'expired-certificate'
  /** The certificate of the broker is for another name. */
  | 'server-name'
  /** The broker refused the client's certificate or its TLS handshake. */
  | 'client-certificate'
  /** An ACL is missing. */
  | 'authorization';

/** Thrown in place of a client's error that waiting does not mend. The message states who refused what. */
export class KafkaRefusedError extends CodedError {
  readonly code = 'kafka-refused';
  readonly retryable = false;

  constructor(
    readonly kind: KafkaRefusalKind,
    message: string,
    /** What to do, without a full stop. */
    readonly remedy: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
  }
}
