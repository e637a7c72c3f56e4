/**
 * Maps items with a limit of concurrent calls. The results have the order of the items. It rejects with the first failure, and
 * does not stop the other calls.
 *
 * @param atOnce calls that run at the same time at most, ≥ 1
 */
export async function mapParallel<T, R>(items: readonly T[], atOnce: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const mapNext = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, mapNext));
  return results;
}
