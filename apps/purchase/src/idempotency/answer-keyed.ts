import { anonymous, idempotencyKeyOf, principalOf } from '@millrace/runtime';
import type { FastifyReply } from 'fastify';
import type { IdempotentAnswers, KeyedWork, Verdict } from './idempotent-answers.ts';

/** Header of an answer that is the receipt of an earlier request. */
export const replayedHeader = 'idempotent-replayed';
/** Header of the answer to a keyed request whose receipt is not kept: there is no store, or it did not answer or is full. */
export const receiptHeader = 'idempotency-receipt';

/** The request of which {@link answerKeyed} takes care. */
export interface KeyedRoute<T> {
  /** Name of the stream. */
  readonly stream: string;
  readonly key: string;
  readonly body: unknown;
  readonly verdictOf: (answer: T) => Verdict;
}

/** Answers a request with an `Idempotency-Key` and sets the headers that describe its receipt. */
export async function answerKeyed<T>(
  answers: IdempotentAnswers,
  reply: FastifyReply,
  { stream, key, body, verdictOf }: KeyedRoute<T>,
  work: KeyedWork<T>,
): Promise<T> {
  const { request } = reply;
  const principal = principalOf(request) ?? anonymous;
  const route = request.routeOptions.url ?? request.url;
  const { answer, isReplayed, isKept } = await answers.answer({ principal, stream, key, route, body }, work, verdictOf);
  if (isReplayed) void reply.header(replayedHeader, 'true');
  if (!isKept && verdictOf(answer) === 'keep') void reply.header(receiptHeader, 'unavailable');
  return answer;
}

/** The key of a request; undefined without the header. @throws ProblemError when it is not a key */
export function keyOf({ request }: FastifyReply): string | undefined {
  const header = request.headers['idempotency-key'];
  return header === undefined ? undefined : idempotencyKeyOf(header);
}
