import type { LogDirectory, LogFile, LogFileInfo } from '../outbox/log-file-system.ts';

type FileOperation =
  | { readonly kind: 'write'; readonly bytes: Buffer; readonly at: number }
  | { readonly kind: 'truncate'; readonly length: number };
type EntryOperation = { readonly kind: 'create' | 'remove'; readonly name: string; readonly node: Node };

/** Content of a file, as the running system sees it and as the disk holds it. */
interface Node {
  seen: Buffer;
  durable: Buffer;
  unsynced: FileOperation[];
}

/** Syncs that a planted fault leaves out: of file contents, or of the directory. */
export type LeftOutSync = 'file' | 'directory';

/** The power is off: no call succeeds any more. */
export class PowerCutError extends Error {
  override readonly name = 'PowerCutError';
}

/**
 * A directory in memory with a power switch. Writes, truncations, created and removed entries are visible at once, and durable only after
 * their sync. When the power goes, each operation that is not durable survives whole, in part or not at all, independently of the others.
 */
export class PowerCutDirectory implements LogDirectory {
  /** Operations until the power goes. */
  operationsLeft = Number.POSITIVE_INFINITY;
  /** If set, this number of the next syncs of files fail; like Linux, the system then takes the lost bytes for clean. */
  failingSyncs = 0;
  readonly #random: () => number;
  readonly #leftOut: LeftOutSync | undefined;
  #seen = new Map<string, Node>();
  #durable = new Map<string, Node>();
  #unsynced: EntryOperation[] = [];
  #isOff = false;

  /**
   * @param random Uniform in [0, 1).
   * @param leftOut A planted fault. Default: none.
   */
  constructor(random: () => number, leftOut?: LeftOutSync) {
    this.#random = random;
    this.#leftOut = leftOut;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  async list(): Promise<readonly LogFileInfo[]> {
    await this.#step(false);
    return [...this.#seen].map(([name, { seen }]) => ({ name, bytes: seen.length }));
  }

  async create(name: string): Promise<LogFile> {
    await this.#step(true, () => {
      if (this.#seen.has(name)) throw new Error(`${name} exists`);
      const node: Node = { seen: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] };
      this.#seen.set(name, node);
      this.#unsynced.push({ kind: 'create', name, node });
    });
    return this.#fileOf(this.#seen.get(name)!);
  }

  async open(name: string): Promise<LogFile> {
    await this.#step(false);
    const node = this.#seen.get(name);
    if (node === undefined) throw new Error(`${name} does not exist`);
    return this.#fileOf(node);
  }

  async remove(name: string): Promise<void> {
    await this.#step(true, () => {
      const node = this.#seen.get(name);
      if (node === undefined) throw new Error(`${name} does not exist`);
      this.#seen.delete(name);
      this.#unsynced.push({ kind: 'remove', name, node });
    });
  }

  async sync(): Promise<void> {
    await this.#step(true, () => {
      if (this.#isOff || this.#leftOut === 'directory') return;
      for (const operation of this.#unsynced) applyEntry(this.#durable, operation);
      this.#unsynced = [];
    });
  }

  /**
   * Power comes back: the disk holds everything durable and the survivors of the rest.
   *
   * @returns how many operations were lost or torn
   */
  restart(): number {
    let lost = 0;
    const nodes = new Set([...this.#seen.values(), ...this.#durable.values()]);
    // Each cut destroys something: the first operation that is not durable never survives whole.
    let mustLose = true;
    const fate = (): number => {
      const survives = mustLose ? this.#random() * 0.99 : this.#random() * 2;
      mustLose = false;
      if (survives < 1) lost += 1;
      return survives;
    };
    for (const node of nodes) {
      for (const operation of node.unsynced) applyToContent(node, operation, fate());
      node.unsynced = [];
      node.seen = node.durable;
    }
    for (const operation of this.#unsynced) if (fate() >= 1) applyEntry(this.#durable, operation);
    this.#unsynced = [];
    this.#seen = new Map(this.#durable);
    this.#isOff = false;
    this.operationsLeft = Number.POSITIVE_INFINITY;
    return lost;
  }

  /** Whether anything is not durable. */
  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0 || [...this.#seen.values()].some(({ unsynced }) => unsynced.length > 0);
  }

  /** Changes one byte of a file that is durable, as a failing disk does. */
  damage(name: string, at: number): void {
    const node = this.#seen.get(name)!;
    node.seen = Buffer.from(node.seen);
    node.seen[at] = node.seen[at]! ^ 0xff;
    node.durable = node.seen;
  }

  #fileOf(node: Node): LogFile {
    const change = async (operation: FileOperation): Promise<void> => {
      await this.#step(true, () => {
        node.seen = contentAfter(node.seen, operation);
        node.unsynced.push(operation);
      });
    };
    return {
      write: async (bytes, at) => await change({ kind: 'write', bytes: Buffer.from(bytes), at }),
      truncate: async (length) => await change({ kind: 'truncate', length }),
      read: async (at, length) => {
        await this.#step(false);
        return Buffer.from(node.seen.subarray(at, at + length));
      },
      sync: async () => {
        await this.#step(true, () => {
          if (this.#isOff || this.#leftOut === 'file') return;
          if (this.failingSyncs > 0) {
            this.failingSyncs -= 1;
            node.unsynced = [];
            throw new Error('the sync failed');
          }
          node.durable = node.seen;
          node.unsynced = [];
        });
      },
      close: async () => await this.#step(false),
    };
  }

  /** Runs one operation. The power fails during it, if the cut is due and something is not durable. */
  async #step(counts: boolean, run: () => void = () => undefined): Promise<void> {
    await Promise.resolve();
    if (this.#isOff) throw new PowerCutError();
    if (counts) this.operationsLeft -= 1;
    // A sync during which the power goes has no effect that can be relied on.
    const isDue = counts && this.operationsLeft < 0;
    this.#isOff = isDue && this.hasUnsynced;
    run();
    this.#isOff ||= isDue && this.hasUnsynced;
    if (this.#isOff) throw new PowerCutError();
  }
}

function applyEntry(entries: Map<string, Node>, { kind, name, node }: EntryOperation): void {
  if (kind === 'create') entries.set(name, node);
  else if (entries.get(name) === node) entries.delete(name);
}

/** @param fate 1 or more: the operation survives. Below: that part of a write survives, from its begin or up to its end. */
function applyToContent(node: Node, operation: FileOperation, fate: number): void {
  if (fate >= 1) node.durable = contentAfter(node.durable, operation);
  else if (operation.kind === 'write') {
    const { bytes, at } = operation;
    const isHead = fate < 0.5;
    const kept = Math.floor(bytes.length * (fate * 2 - (isHead ? 0 : 1)));
    const from = isHead ? 0 : bytes.length - kept;
    const part = { kind: 'write', bytes: bytes.subarray(from, from + kept), at: at + from } as const;
    if (kept > 0) node.durable = contentAfter(node.durable, part);
  }
}

function contentAfter(content: Buffer, operation: FileOperation): Buffer {
  if (operation.kind === 'truncate')
    return Buffer.concat([content.subarray(0, operation.length), Buffer.alloc(Math.max(0, operation.length - content.length))]);
  const { bytes, at } = operation;
  const result = Buffer.alloc(Math.max(content.length, at + bytes.length));
  content.copy(result);
  bytes.copy(result, at);
  return result;
}
