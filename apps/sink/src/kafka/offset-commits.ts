/** Commits the landed offsets to the group. */
type Commit = (offsets: readonly { readonly partition: number; readonly offset: string }[]) => Promise<void>;

/** Landed offsets that wait to be committed. They are for lag tools only: a lane starts at the offset in its ledger. */
export class OffsetCommits {
  readonly #waiting = new Map<number, number>();
  #sending: Promise<void> = Promise.resolve();
  #owned: readonly number[] | undefined;

  /** Notes the landed offset of a partition; the next {@link send} commits it. */
  set(partition: number, offset: number): void {
    this.#waiting.set(partition, offset);
  }

  /** Forgets partitions that the group gave to another member, which commits further by itself. */
  keepOnly(partitions: readonly number[]): void {
    this.#owned = partitions;
    for (const partition of this.#waiting.keys()) if (!partitions.includes(partition)) this.#waiting.delete(partition);
  }

  /**
   * Commits the waiting offsets after any commit in flight, so that committed offsets never go back. A failed commit waits for the next
   * one. Otherwise an idle partition would report lag although it has none.
   */
  async send(commit: Commit): Promise<void> {
    this.#sending = this.#sending.then(async () => await this.#sendNow(commit));
    await this.#sending;
  }

  async #sendNow(commit: Commit): Promise<void> {
    if (this.#waiting.size === 0) return;
    const sent = [...this.#waiting];
    this.#waiting.clear();
    try {
      await commit(sent.map(([partition, offset]) => ({ partition, offset: String(offset) })));
    } catch {
      for (const [partition, offset] of sent)
        if (!this.#waiting.has(partition) && this.#owned?.includes(partition) !== false) this.#waiting.set(partition, offset);
    }
  }
}
