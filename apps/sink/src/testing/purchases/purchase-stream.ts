import { setTimeout as delay } from 'node:timers/promises';
import { purchaseMessages } from './purchase-message.ts';
import type { TestTable } from '../process/test-table.ts';

/** Puts purchases into a table's topic, 1,000 a second at most, until it is stopped. */
export class PurchaseStream {
  readonly #table: TestTable;
  readonly #stopping = new AbortController();
  readonly #producing: Promise<void>;
  #produced = 0;

  constructor(table: TestTable) {
    this.#table = table;
    this.#producing = this.#produce();
  }

  /** Stops, and returns the number of purchases. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    await this.#producing;
    return this.#produced;
  }

  async #produce(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#table.produce(purchaseMessages(this.#produced, this.#produced + 200));
      this.#produced += 200;
      await delay(200);
    }
  }
}
