import { CodedError } from '@millrace/resilience/coded-error';

/** Why a batch of records cannot be decoded. */
export type DecodeErrorCode =
  /** The header of the batch contradicts itself or the answer that contains it. */
  | 'bad-header'
  /** The bytes differ from those whose checksum the producer or broker wrote. */
  | 'bad-checksum'
  /** The message format is older than Kafka 0.11, or newer than this code. */
  | 'unknown-format'
  /** The batch names a compression that Kafka does not define. */
  | 'unknown-codec'
  /** The compressed bytes are corrupt. */
  | 'bad-compression'
  /** The records take more memory than {@link batchBytesMax} once decompressed. */
  | 'too-large'
  /** A record's lengths contradict its bytes. */
  | 'bad-record'
  /** The broker itself could not read the batch. */
  | 'broker-refused';

/** Thrown while a batch is decoded, and never outside of this lib: {@link readAnswer} turns it into an `UndecodableBatch`. */
export class DecodeError extends CodedError {
  readonly code: DecodeErrorCode;
  /** The same bytes give the same error. */
  readonly retryable = false;

  constructor(code: DecodeErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
