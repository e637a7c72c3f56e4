import type { GroupState } from './kafka-batch-strategy.ts';
import { reasonOf, type ConsumerCrashes } from './consumer-crashes.ts';

// A joined member that heard nothing for longer has lost its broker.
const silentMsMax = 10_000;

/** Dependencies of {@link groupTrouble}. */
export interface GroupHealthParts {
  readonly state: GroupState;
  readonly crashes: Pick<ConsumerCrashes, 'lastCrash' | 'lastError' | 'looping' | 'inARow'>;
  /** The reason why the consumer has not tried to join yet; undefined otherwise. */
  readonly waitsFor: string | undefined;
}

/** Why the sink gets no records from its group, with the last error; undefined when it gets them. */
export function groupTrouble({ state, crashes, waitsFor }: GroupHealthParts, now: number): string | undefined {
  const looping = crashes.looping ? `the consumer crashed ${crashes.inARow} times in a row` : undefined;
  if (!state.joined && waitsFor !== undefined) return `the consumer group is not joined: ${waitsFor}`;
  if (!state.joined)
    return `the consumer group is not joined${looping === undefined ? '' : `, and ${looping}`}${because(crashes.lastError)}`;
  if (looping !== undefined) return `${looping}${because(crashes.lastCrash)}`;
  const silentMs = now - state.lastContactMs;
  return silentMs > silentMsMax ? `no answer from Kafka for ${Math.round(silentMs / 1000)} s` : undefined;
}

function because(error: Error | undefined): string {
  return error === undefined ? '' : `; the last error: ${reasonOf(error)}`;
}
