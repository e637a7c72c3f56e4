import { OperatorError } from './errors.ts';

/** The arguments of a command: flags without a value, flags with a value, and words. */
export interface ArgumentShape {
  /** The usage line that errors show. */
  readonly usage: string;
  readonly flags?: readonly string[];
  readonly values?: readonly string[];
  /** Flags with a value that may be given more than once. */
  readonly lists?: readonly string[];
  /** Names of the words, all required unless they end in `?`. */
  readonly words?: readonly string[];
}

/** The parsed arguments of a command. */
export class Arguments {
  readonly words: readonly string[];
  readonly #flags: ReadonlySet<string>;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  private constructor(words: readonly string[], flags: ReadonlySet<string>, values: ReadonlyMap<string, readonly string[]>) {
    this.words = words;
    this.#flags = flags;
    this.#values = values;
  }

  /**
   * Reads the arguments of a command.
   *
   * @throws OperatorError naming the argument that is not known, lacks its value, or is missing
   */
  static read(given: readonly string[], shape: ArgumentShape): Arguments {
    const { usage, flags = [], values = [], lists = [], words: names = [] } = shape;
    const words: string[] = [];
    const set = new Set<string>();
    const valued = new Map<string, string[]>();
    for (let at = 0; at < given.length; at += 1) {
      const argument = given[at]!;
      const [name, inline] =
        argument.startsWith('--') && argument.includes('=')
          ? [argument.slice(0, argument.indexOf('=')), argument.slice(argument.indexOf('=') + 1)]
          : [argument, undefined];
      if (flags.includes(name) && inline === undefined) {
        set.add(name);
      } else if (values.includes(name) || lists.includes(name)) {
        const value = inline ?? given[(at += 1)];
        if (value === undefined) throw new OperatorError(`${name} needs a value. Usage: ${usage}`);
        const before = valued.get(name) ?? [];
        if (before.length > 0 && !lists.includes(name)) throw new OperatorError(`${name} is given twice. Usage: ${usage}`);
        valued.set(name, [...before, value]);
      } else if (argument.startsWith('-') || words.length === names.length) {
        throw new OperatorError(`"${argument}" is not known here. Usage: ${usage}`);
      } else {
        words.push(argument);
      }
    }
    if (words.length < names.filter((name) => !name.endsWith('?')).length)
      throw new OperatorError(`${names[words.length]} is missing. Usage: ${usage}`);
    return new Arguments(words, set, valued);
  }

  has(flag: string): boolean {
    return this.#flags.has(flag);
  }

  value(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /**
   * A whole number of at least `minimum`.
   *
   * @throws OperatorError when it is not one
   */
  integer(name: string, minimum = 0): number | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < minimum)
      throw new OperatorError(`${name} must be a whole number of at least ${minimum}; it is "${text}".`);
    return value;
  }
}
