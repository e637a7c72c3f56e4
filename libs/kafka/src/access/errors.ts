import type { CertificateProblem } from '@millrace/credentials';
import { CodedError } from '@millrace/resilience/coded-error';

/** Reason for a missing token. */
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
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join(' '));
    this.problems = problems;
  }
}

/** Kind of a refusal by Kafka or its token endpoint. */
export type KafkaRefusalKind =
  /** The broker refused user name, password or token. */
  | 'login'
  /** The broker does not offer the SASL mechanism. */
  | 'mechanism'
  /** The token endpoint refused the client. */
  | 'token'
  | CertificateProblem
  /** An ACL is missing. */
  | 'authorization';

/** Thrown in place of a client's error that a retry cannot fix. The message states the refusing party and the reason. */
export class KafkaRefusedError extends CodedError {
  readonly code = 'kafka-refused';
  readonly retryable = false;

  readonly kind: KafkaRefusalKind;
  /** Remedy, without a full stop. */
  readonly remedy: string;

  constructor(kind: KafkaRefusalKind, message: string, remedy: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
    this.remedy = remedy;
  }
}
