import type { OperationOptions } from '@millrace/operations';
import type { OperatorScreen } from './operator-context.ts';

/** Title of each phase of an operation. A function gets the number of items. */
export type PhaseTitles<Phase extends string> = Readonly<Record<Phase, string | ((total: number) => string)>>;

/**
 * Runs an operation and shows each of its phases as a step. A step ends when the next phase begins.
 *
 * @param run the operation; it reports through the given callback
 */
export async function showProgress<Phase extends string, T>(
  screen: Pick<OperatorScreen, 'step'>,
  titles: PhaseTitles<Phase>,
  run: (onProgress: NonNullable<OperationOptions<Phase>['onProgress']>) => Promise<T>,
): Promise<T> {
  let current: { readonly phase: Phase; readonly note: (detail: string) => void; readonly end: PromiseWithResolvers<void> } | undefined;
  let shown: Promise<void> = Promise.resolve();
  const begin = (phase: Phase, total = 0): NonNullable<typeof current> => {
    const title = titles[phase];
    const end = Promise.withResolvers<void>();
    let show: ((detail: string) => void) | undefined;
    // The line of a step follows the line of the step before it.
    shown = shown.then(
      async () =>
        await screen.step(typeof title === 'string' ? title : title(total), async (note) => {
          show = note;
          await end.promise;
        }),
    );
    return { phase, end, note: (detail) => show?.(detail) };
  };
  try {
    const result = await run(({ phase, detail, total }) => {
      if (current?.phase !== phase) {
        current?.end.resolve();
        current = begin(phase, total);
      }
      if (detail !== undefined) current.note(detail);
    });
    current?.end.resolve();
    await shown;
    return result;
  } catch (error) {
    current?.end.reject(error);
    // The caller handles the error of the operation. The step only shows that it failed.
    await shown.catch(() => undefined);
    throw error;
  }
}
