import { meets, type Figure } from './figures.ts';

/** Collects the figures of a benchmark and prints them. */
export class BenchReport {
  readonly #figures: Figure[] = [];
  readonly #nameWidth: number;

  /** @param nameWidth columns of the names, in characters */
  constructor(nameWidth = 48) {
    this.#nameWidth = nameWidth;
  }

  /** Adds a figure, rounded to two decimals. */
  add(name: string, value: number, unit: string, target?: Figure['target']): void {
    this.#figures.push({ name, value: Math.round(value * 100) / 100, unit, ...(target === undefined ? {} : { target }) });
  }

  /** Prints conditions and figures: one line of JSON for scripts, or a table that says which targets are met. */
  print(benchmark: string, conditions: Readonly<Record<string, string | number>>, asJson: boolean): void {
    if (asJson) {
      console.log(JSON.stringify({ benchmark, conditions, figures: this.#figures.map((one) => ({ ...one, met: meets(one) })) }));
      return;
    }
    for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`);
    console.log();
    for (const one of this.#figures) {
      const met = meets(one);
      const goal = met === undefined ? '' : `  ${met ? 'meets' : 'misses'} ${Object.values(one.target!).join('')}`;
      console.log(`${one.name.padEnd(this.#nameWidth)} ${one.value.toLocaleString('en').padStart(12)} ${one.unit}${goal}`);
    }
  }
}

/** Reports progress on the error output. */
export function progress(text: string): void {
  process.stderr.write(`  … ${text}\n`);
}
