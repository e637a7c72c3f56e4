import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../processes/root.ts';
import type { CatalogTable, DaySums } from './day-sums.ts';
import { pyicebergPython, pythonFolder } from './run-pyiceberg.ts';

/** A process with pyiceberg that reads Iceberg tables through the Glue catalog of the stack. */
export class PyicebergReader {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  private constructor(started: ChildProcessWithoutNullStreams) {
    this.#process = started;
    started.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#answers = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts the process. The first call makes a virtual environment in the cache and fetches pyiceberg with its packages.
   *
   * @param endpoint URL of S3 and Glue
   */
  static async open(endpoint: string): Promise<PyicebergReader> {
    return new PyicebergReader(spawn(await pyicebergPython(), [join(root, pythonFolder, 'iceberg_sums.py'), endpoint]));
  }

  /**
   * Reads the sums of a table's newest snapshot. One call at a time.
   *
   * @throws Error with the output of the process when it ended
   */
  async sums(table: CatalogTable): Promise<DaySums[]> {
    this.#process.stdin.write(`${JSON.stringify(table)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`pyiceberg did not read the Iceberg table: ${this.#errors}`);
    return JSON.parse(value) as DaySums[];
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}
