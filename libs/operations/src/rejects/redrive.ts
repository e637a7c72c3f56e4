import { beginPhase, type OperationOptions } from '../progress.ts';
import type { RedriveTarget } from '../target.ts';
import { produceCorrections } from './produce-corrections.ts';
import { checkLines, skipKnownEvents, type CorrectionText, type RedrivenLine } from './redrive-plan.ts';

/** Options of {@link redriveRejects}. */
export interface RedriveOptions extends OperationOptions<'check' | 'search' | 'produce'> {
  /** Produces the events. Default: false, which only plans. */
  readonly apply?: boolean;
}

/** Result of {@link redriveRejects}. */
export interface RedriveResult {
  readonly applied: boolean;
  readonly topic: string;
  readonly lines: readonly RedrivenLine[];
}

/**
 * Produces corrected rejects under their own event ids. An event that is a row, or becomes one, is skipped, so that a repeated call makes
 * no second row.
 *
 * @throws OperationError `unavailable` when Kafka does not answer, `conflict` when too many events wait to land, `unfinished` when Kafka
 * refused an event
 */
export async function redriveRejects(
  target: RedriveTarget,
  texts: readonly CorrectionText[],
  { apply = false, signal, onProgress }: RedriveOptions,
): Promise<RedriveResult> {
  const { stream } = target.lake;
  const checked = await checkLines(target, texts, signal, beginPhase(onProgress, 'check'));
  const plan = await skipKnownEvents(target, checked, signal, beginPhase(onProgress, 'search'));
  const wanted = plan.flatMap(({ line, to, correction }) =>
    correction === undefined ? [] : [{ line, partition: to!.partition, correction }],
  );
  const produces = apply && wanted.length > 0;
  const offsets = produces
    ? await produceCorrections(target.kafka, stream, wanted, signal, beginPhase(onProgress, 'produce', wanted.length))
    : undefined;
  const lines = plan.map(({ correction: _correction, ...line }): RedrivenLine => {
    const offset = offsets?.get(line.line);
    return offset === undefined ? line : { ...line, to: { ...line.to!, offset } };
  });
  return { applied: apply, topic: stream.topic.name, lines };
}
