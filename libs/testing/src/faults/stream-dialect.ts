import type { SeenRequest } from './fault.ts';
import { correlationIdOf, cutAnswer, kafkaFrames, kafkaRequestOf } from './kafka-frames.ts';

/** The protocol of a byte stream, as far as a proxy parses it. */
export interface StreamDialect {
  /** Splits bytes into units that pass or fail as a whole. */
  units(source: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** Parses the request in a unit of the client. */
  request(unit: Buffer): { readonly id: number | undefined; readonly seen: SeenRequest };
  /** The request that a unit from the target answers; undefined for all that wait. */
  answered(unit: Buffer): number | undefined;
  /** A unit from the target that ends after its head. */
  cut(unit: Buffer): Buffer;
}

/** Unparsed bytes: each chunk is a request, and any answer answers all waiting requests. */
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
