/** Output of a command for a person. */
export interface OperatorScreen {
  line(text?: string): void;
  bold(text: string): string;
  /** Shows a step while it runs; `note` reports its progress. */
  step<T>(what: string, run: (note: (text: string) => void) => Promise<T>): Promise<T>;
}

/** The surroundings of a command. */
export interface OperatorContext {
  /** Standard output: answers, and JSON with `--json`. */
  readonly out: OperatorScreen;
  /** Standard error: progress, so that `--json` stays clean. */
  readonly progress: OperatorScreen;
  /** Where the parts and services are, named as the services read it. */
  readonly env: Readonly<Record<string, string>>;
  /** A table with aligned columns. */
  readonly table: (columns: readonly string[], rows: readonly (readonly (string | number | boolean | null)[])[]) => string;
  /** The repository's folder, where the services are built. */
  readonly root: string;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}
