import type { KnownRequest, ReceiptStore } from '../idempotency/receipt-store.ts';

interface Entry {
  readonly fingerprint: string;
  readonly receipts: Map<string, Buffer>;
}

/** A store of receipts in memory. Tests can make it unavailable, as Redis can be. */
export class MemoryReceipts implements ReceiptStore {
  readonly entries = new Map<string, Entry>();
  isAway = false;

  async claim(id: string, fingerprint: string): Promise<KnownRequest | undefined> {
    return await Promise.resolve(this.isAway ? undefined : this.#known(id, fingerprint));
  }

  async keep(id: string, fingerprint: string, receipt: Buffer): Promise<KnownRequest | undefined> {
    if (this.isAway) return await Promise.resolve(undefined);
    this.#known(id, fingerprint);
    const { receipts } = this.entries.get(id)!;
    if (!receipts.has(fingerprint)) receipts.set(fingerprint, receipt);
    return this.#known(id, fingerprint);
  }

  async find(id: string): Promise<Buffer | null | undefined> {
    const entry = this.entries.get(id);
    return await Promise.resolve(this.isAway ? undefined : (entry?.receipts.get(entry.fingerprint) ?? null));
  }

  async release(id: string): Promise<void> {
    await Promise.resolve(this.isAway || this.entries.delete(id));
  }

  #known(id: string, fingerprint: string): KnownRequest {
    const entry = this.entries.get(id) ?? { fingerprint, receipts: new Map() };
    this.entries.set(id, entry);
    return { fingerprint: entry.fingerprint, receipt: entry.receipts.get(fingerprint) };
  }
}
