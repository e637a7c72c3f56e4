const redrawEveryMs = 500;
const reportEveryMs = 10_000;

/** Shows progress. A terminal has one line that is redrawn. Anything else gets a line every 10 s. */
export class LiveLine {
  readonly #out: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>) {
    this.#out = out;
  }

  /** Shows a text again and again, until the end. @param text undefined while there is nothing to show */
  follow(text: () => string | undefined): void {
    this.#timer = setInterval(
      () => {
        const now = text();
        if (now === undefined) return;
        this.#out.write(this.#out.isTTY ? `\r\u001b[2K${now.slice(0, this.#out.columns - 1)}` : `  ${now}\n`);
      },
      this.#out.isTTY ? redrawEveryMs : reportEveryMs,
    );
  }

  /** Prints a line that stays. */
  print(text: string): void {
    this.#out.write(`${this.#clear()}${text}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#out.write(this.#clear());
  }

  #clear(): string {
    return this.#out.isTTY ? '\r\u001b[2K' : '';
  }
}
