import type { SeenRequest } from './fault.ts';
import { correlationIdOf, cutAnswer, kafkaFrames, kafkaRequestOf } from './kafka-frames.ts';

/** How much a proxy understands of a byte stream. */
export interface StreamDialect {
  /** What passes, or does not pass, as one. */
  units(source: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** What a unit from the client asks. */
  request(unit: Buffer): { readonly id: number | undefined; readonly seen: SeenRequest };
  /** The request that a unit from the target answers; undefined for all that wait. */
  answered(unit: Buffer): number | undefined;
  /** A unit from the target that ends after its head. */
  cut(unit: Buffer): Buffer;
}

/** Bytes without meaning: a chunk is a request, and what comes back answers all that wait. */
export const plainDialect: StreamDialect = {
  units: (source) => source,
  request: () => ({ id: undefined, seen: {} }),
  answered: () => undefined,
  cut: (unit) => unit,
};

/** Kafka's wire: requests have an API and a number that their answer repeats. */
export const kafkaDialect: StreamDialect = {
  units: kafkaFrames,
  request(frame) {
    const { api, correlationId } = kafkaRequestOf(frame);
    return { id: correlationId, seen: { api } };
  },
  answered: correlationIdOf,
  cut: cutAnswer,
};
