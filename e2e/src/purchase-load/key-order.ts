/** Times of one event, as ticks of one counter that both kinds of moment share. */
export interface EventTimes {
  /** Before the event was sent for the first time. */
  readonly sent: (number: number) => number;
  /** After its receipt arrived; Infinity without a receipt. */
  readonly acknowledged: (number: number) => number;
}

/** Events that are in the wrong order: how many, and the first ones in words. */
export interface OrderFindings {
  readonly count: number;
  readonly named: readonly string[];
}

const namedMax = 10;

/**
 * Finds events of one key that come later in the topic than an event that was sent only after their receipt had arrived. Events that were
 * under way at the same time have no order. A repetition counts at its first offset, because the sink keeps that one.
 *
 * @param log event numbers by partition and offset; NaN for events of others
 */
export function findDisorder(
  log: readonly (readonly number[])[],
  keyOf: (number: number) => number,
  { sent, acknowledged }: EventTimes,
): OrderFindings {
  const named: string[] = [];
  let count = 0;
  for (const [partition, records] of log.entries()) {
    const seen = new Set<number>();
    const lastSent = new Map<number, number>();
    for (const [offset, number] of records.entries()) {
      if (Number.isNaN(number) || seen.has(number)) continue;
      seen.add(number);
      const key = keyOf(number);
      const ahead = lastSent.get(key);
      if (ahead !== undefined && acknowledged(number) < sent(ahead)) {
        count += 1;
        if (named.length < namedMax) named.push(`event ${number} is behind event ${ahead} at offset ${offset} of partition ${partition}`);
      }
      if (ahead === undefined || sent(number) > sent(ahead)) lastSent.set(key, number);
    }
  }
  return { count, named };
}
