/** An error of an instance that was opened with `errors_as_json`. */
export interface DuckDbError {
  /** DuckDB's name of the kind of error, such as `Binder` or `Out of Memory`. */
  readonly type: string;
  readonly message: string;
  /** UTF-8 byte offset in the statement, if DuckDB reports it. */
  readonly position?: number;
}

/** Reads an error of DuckDB. The type of any other error is `Unknown`. */
export function duckDbErrorOf(error: unknown): DuckDbError {
  const message = error instanceof Error ? error.message : String(error);
  try {
    const fields = JSON.parse(message) as { exception_type?: string; exception_message?: string; position?: string };
    return {
      type: fields.exception_type ?? 'Unknown',
      message: fields.exception_message ?? message,
      ...(fields.position === undefined ? {} : { position: Number(fields.position) }),
    };
  } catch {
    return { type: 'Unknown', message };
  }
}
