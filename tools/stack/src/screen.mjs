/** Interval at which a running step reports itself where no line can be redrawn, in milliseconds. */
const reportEveryMs = 15_000;

const redrawEveryMs = 250;

/**
 * @typedef {object} RunningStep
 * @property {string} what
 * @property {string} detail
 * @property {number} started
 */

/** The part of a terminal or a file that a screen writes to. */
/** @typedef {Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>} Output */

/**
 * Writes progress for a person. Steps may run side by side. A terminal shows those that run on one line, which is redrawn; anything else
 * gets a line at the start, every 15 s and at the end, without control sequences. Colour needs a terminal and no `NO_COLOR`.
 */
export class Screen {
  /** @type {Output} */
  #out;
  #redraws;
  #colours;
  /** @type {Set<RunningStep>} */
  #running = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #drawn = false;

  /**
   * @param {Output} out
   * @param {Readonly<Record<string, string | undefined>>} env
   */
  constructor(out = process.stdout, env = process.env) {
    this.#out = out;
    this.#redraws = out.isTTY && env['TERM'] !== 'dumb';
    this.#colours = this.#redraws && (env['NO_COLOR'] ?? '') === '';
  }

  line(text = '') {
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  /**
   * Shows a step while it runs, and how long it took when it has ended.
   *
   * @template T
   * @param {string} what
   * @param {(note: (text: string) => void) => Promise<T>} run `note` reports the progress of the step
   * @returns {Promise<T>}
   */
  async step(what, run) {
    const step = { what, detail: '', started: performance.now() };
    this.#running.add(step);
    if (this.#redraws) this.#draw();
    else this.line(`  … ${what}`);
    this.#timer ??= setInterval(() => this.#report(), this.#redraws ? redrawEveryMs : reportEveryMs);
    try {
      const result = await run((text) => void (step.detail = text));
      this.#end(step, '✓', '32');
      return result;
    } catch (error) {
      step.detail = '';
      this.#end(step, '✗', '31');
      throw error;
    }
  }

  /**
   * Emphasised text.
   *
   * @param {string} text
   */
  bold(text) {
    return this.#colours ? `\u001b[1m${text}\u001b[0m` : text;
  }

  /**
   * @param {RunningStep} step
   * @param {string} mark
   * @param {string} colour
   */
  #end(step, mark, colour) {
    this.#running.delete(step);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.line(`  ${this.#colours ? `\u001b[${colour}m${mark}\u001b[0m` : mark} ${textOf(step)}`);
    if (this.#redraws && this.#running.size > 0) this.#draw();
  }

  #report() {
    if (this.#redraws) this.#draw();
    else for (const step of this.#running) this.line(`  … ${textOf(step)}`);
  }

  #draw() {
    const text = `  … ${[...this.#running].map(textOf).join(', ')}`;
    const width = (this.#out.columns || 80) - 1;
    this.#out.write(`\r\u001b[K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
    this.#drawn = true;
  }

  #clear() {
    if (this.#drawn) this.#out.write('\r\u001b[K');
    this.#drawn = false;
  }
}

/** @param {RunningStep} step */
function textOf({ what, detail, started }) {
  return `${what}${detail === '' ? '' : `: ${detail}`} (${((performance.now() - started) / 1000).toFixed(1)} s)`;
}
