import { expect, it } from 'vitest';
import { KnownLanes } from './known-lanes.ts';

const topic = { name: 'bookstore.purchases.v1', partitions: 2 };

/** A ledger with these partitions, and a count of the readers that were made. */
function lanesWith(...partitions: readonly number[]) {
  const folders = partitions.map((partition) => `p=${partition}/`);
  const made: number[] = [];
  const lanes = new KnownLanes({ listFolders: async () => folders }, { table: 'purchases', topic }, ({ partition }) => {
    made.push(partition);
    return partition;
  });
  return { lanes, folders, made };
}

it('an empty ledger has the lanes of the contract', async () => {
  expect(await lanesWith().lanes.read()).toEqual([0, 1]);
});

it('a partition beyond the contract adds its lane and those before it, and known lanes keep their readers', async () => {
  const { lanes, folders, made } = lanesWith(0);
  await lanes.read();
  folders.push('p=4/', 'p=10/', 'strange/');
  expect(await lanes.read()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await lanes.read();
  expect(made).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
