import { noFiles, withFile, type FileSum } from '../checkpoint/lane-fold.ts';
import { rejectsPrefix, tablePrefix, type LaneId } from '../keys.ts';
import { allObjects, type CallOptions, type InspectableStore } from '../object-store.ts';

/** The range and lane in the name of a visible file. */
export interface FileName {
  readonly dt: string;
  readonly partition: number;
  /** The batch: offsets [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Parses the name of a visible file. Undefined when no sink makes such a name. */
export function readFileName(table: string, partitionKey: string, key: string): FileName | undefined {
  const rest = key.slice(tablePrefix(table).length);
  const match = /^([^/=]+)=([^/]+)\/p(\d{1,10})-(\d{1,16})-(\d{1,16})-[^/]+\.parquet$/.exec(rest);
  return match?.[1] === partitionKey
    ? { dt: match[2]!, partition: Number(match[3]), from: Number(match[4]), to: Number(match[5]) }
    : undefined;
}

/** Tells whether engines see the object in a listing. They skip names that start with `_` or `.`, and folder markers. */
export function isVisible(key: string): boolean {
  return !key.endsWith('/') && !key.split('/').some((part) => part.startsWith('_') || part.startsWith('.'));
}

/** Visible objects of one lane, sorted into ranges of offsets. */
export class LaneInventory {
  readonly lane: LaneId;
  /** Ends of the ranges that are only summed, ascending. Objects above the last end are kept by key. */
  readonly #ends: readonly number[];
  readonly sums: FileSum[];
  /** Size by key of the objects above the last end. */
  readonly tail = new Map<string, number>();

  constructor(lane: LaneId, ends: readonly number[]) {
    this.lane = lane;
    this.#ends = ends;
    this.sums = ends.map(() => noFiles);
  }

  add(from: number, key: string, bytes: number): void {
    const at = this.#ends.findIndex((end) => from < end);
    if (at < 0) this.tail.set(key, bytes);
    else this.sums[at] = withFile(this.sums[at]!, key, bytes);
  }
}

/** The objects under the table's prefix, apart from the files of the lanes. */
export interface TableInventory {
  /** Values of the partition key with at least one file. */
  readonly values: ReadonlySet<string>;
  /** Visible objects that belong to no lane. */
  readonly strays: readonly string[];
}

/** Lists every visible object of the table and every reject file once. One LIST returns a thousand. */
export async function takeInventory(
  store: InspectableStore,
  table: string,
  partitionKey: string,
  lanes: readonly LaneInventory[],
  options: CallOptions & { readonly onListed?: (count: number) => void; readonly onObject?: (key: string, bytes: number) => void } = {},
): Promise<TableInventory> {
  const { onListed, onObject, ...call } = options;
  const byPartition = new Map(lanes.map((inventory) => [inventory.lane.partition, inventory]));
  const values = new Set<string>();
  const strays: string[] = [];
  let listed = 0;
  for await (const { key, bytes } of allObjects(store, tablePrefix(table), call)) {
    listed += 1;
    if (listed % 1000 === 0) onListed?.(listed);
    onObject?.(key, bytes);
    if (!isVisible(key)) continue;
    const name = readFileName(table, partitionKey, key);
    const lane = name === undefined ? undefined : byPartition.get(name.partition);
    if (name !== undefined) values.add(name.dt);
    if (name === undefined || lane === undefined) strays.push(key);
    else lane.add(name.from, key, bytes);
  }
  for (const inventory of lanes) {
    const prefix = rejectsPrefix(inventory.lane);
    for await (const { key, bytes } of allObjects(store, prefix, call)) {
      const match = /^(\d{1,16})-(\d{1,16})-[^/]+\.ndjson$/.exec(key.slice(prefix.length));
      if (match === null) strays.push(key);
      else inventory.add(Number(match[1]), key, bytes);
    }
  }
  return { values, strays };
}

/**
 * Lists the objects of a lane that start in [from, to), by key, with their sizes. It lists the whole table again, so it is for faulty
 * ranges only.
 */
export async function collectRanges(
  store: InspectableStore,
  table: string,
  partitionKey: string,
  wanted: readonly { readonly lane: LaneId; readonly from: number; readonly to: number; readonly found: Map<string, number> }[],
  options: CallOptions = {},
): Promise<void> {
  for await (const { key, bytes } of allObjects(store, tablePrefix(table), options)) {
    const name = isVisible(key) ? readFileName(table, partitionKey, key) : undefined;
    if (name === undefined) continue;
    for (const { lane, from, to, found } of wanted)
      if (lane.partition === name.partition && name.from >= from && name.from < to) found.set(key, bytes);
  }
  for (const { lane, from, to, found } of wanted) {
    const prefix = rejectsPrefix(lane);
    for await (const { key, bytes } of allObjects(store, prefix, options)) {
      const start = Number(/^(\d+)-/.exec(key.slice(prefix.length))?.[1] ?? -1);
      if (start >= from && start < to) found.set(key, bytes);
    }
  }
}
