/** Writes progress for a person; colour and redrawn lines only on a terminal. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #terminal: boolean;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#terminal = out.isTTY && process.env['NO_COLOR'] === undefined;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** Shows a step while it runs, and how long it took when it is done. */
  async step<T>(what: string, run: (note: (text: string) => void) => Promise<T>): Promise<T> {
    const started = performance.now();
    let detail = '';
    const draw = (): void => void (this.#terminal && this.#out.write(`\r\u001b[K  … ${what}${detail === '' ? '' : `: ${detail}`} (${this.#seconds(started)})`));
    const timer = setInterval(draw, 250);
    if (!this.#terminal) this.#out.write(`  … ${what}\n`);
    draw();
    try {
      const result = await run((text) => void (detail = text));
      this.#end('✓', '32', what, detail, started);
      return result;
    } catch (error) {
      this.#end('✗', '31', what, '', started);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Text that stands out. */
  bold(text: string): string {
    return this.#terminal ? `\u001b[1m${text}\u001b[0m` : text;
  }

  #end(mark: string, colour: string, what: string, detail: string, started: number): void {
    const note = detail === '' ? '' : `: ${detail}`;
    if (this.#terminal) this.#out.write(`\r\u001b[K  \u001b[${colour}m${mark}\u001b[0m ${what}${note} (${this.#seconds(started)})\n`);
    else this.#out.write(`  ${mark} ${what}${note} (${this.#seconds(started)})\n`);
  }

  #seconds(started: number): string {
    return `${((performance.now() - started) / 1000).toFixed(1)} s`;
  }
}

/** A table with aligned columns; numbers to the right, grouped by thousands unless they are names such as a process id. */
export function tableText(columns: readonly string[], rows: readonly (readonly (string | number | boolean | null)[])[], { grouped = true }: { grouped?: boolean } = {}): string {
  const cells = [columns, ...rows.map((row) => row.map((cell) => (grouped ? humanCell(cell) : String(cell ?? ''))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = columns.map((_, column) => rows.length > 0 && rows.every((row) => /^-?[\d.]+$/.test(String(row[column] ?? ''))));
  const lines = cells.map((row) => row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd());
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return lines.join('\n');
}

function humanCell(cell: string | number | boolean | null): string {
  if (cell === null) return '';
  const text = String(cell);
  return /^-?\d{4,}$/.test(text) ? groupThousands(text) : text;
}

/** 12345 → 12,345. */
export function groupThousands(digits: string | number): string {
  return String(digits).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}
