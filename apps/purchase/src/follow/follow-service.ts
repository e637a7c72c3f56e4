import type { EventWay } from '@millrace/contracts';
import type { Pipeline } from '@millrace/resilience';
import { ProblemError } from '@millrace/runtime';
import { followEvent, type FollowSources, type NamedPlace } from './follow-event.ts';

/** Seconds after which an answer that lacked a dependency may be asked for again. */
const retryAfterSeconds = 2;

/** Follows the events of one stream. */
export class FollowService {
  readonly #sources: FollowSources;
  readonly #pipeline: Pipeline;

  /** @param pipeline limits how many requests follow events at a time */
  constructor(sources: FollowSources, pipeline: Pipeline) {
    this.#sources = sources;
    this.#pipeline = pipeline;
  }

  /**
   * @param deadline epoch milliseconds
   * @throws ProblemError `not-found` when no part knows the event, `unavailable` when those that might did not answer
   */
  async follow(eventId: string, named: NamedPlace | undefined, options: { deadline: number; signal: AbortSignal }): Promise<EventWay> {
    const result = await this.#pipeline.execute(async ({ signal }) => await followEvent(eventId, named, this.#sources, signal), {
      ...options,
      idempotent: true,
    });
    const found = result as Awaited<ReturnType<typeof followEvent>>;
    if (found.kind === 'way') return found.way;
    if (found.kind === 'not-found')
      throw new ProblemError('not-found', {
        detail: [
          `No event with this id was found: ${found.searched}.`,
          'The outbox of another instance may have it.',
          'The link of a receipt names the place of its event; ./millrace trace searches everything.',
        ].join(' '),
      });
    throw new ProblemError('unavailable', {
      detail: 'Kafka does not answer, and neither the outbox nor a receipt of this service knows the event.',
      retryAfterSeconds,
      cause: found.cause,
    });
  }
}
