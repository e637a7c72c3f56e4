import { DuckDBInstance } from '@duckdb/node-api';
import { duckDbErrorOf } from '../duckdb-error.ts';
import { QueryError } from '../errors.ts';
import { duckDbTextOf } from './duckdb-dialect.ts';
import { KeptValues } from '../kept-values.ts';
import { foldName } from './fold.ts';
import { offsetOfByte, offsetOfCodePoint, positionOf, type SourcePosition } from './source-position.ts';
import { statementError } from './statement-error.ts';
import { readStatement, type StatementText } from './statement-text.ts';
import { inspect, type AllowedTables, type NameRules } from './syntax-tree.ts';
import type { TreeNode } from './tree-node.ts';

/** Largest tree, as JSON, that is read on the event loop: about 20 ms to read and to walk. */
const treeCharactersMax = 1024 * 1024;

/** Trees that are kept. A dashboard sends the same few statements, and each passes here several times on its way. */
const treesMax = 128;
/** Longest tree that is kept, as JSON. */
const keptCharactersMax = 64 * 1024;

interface SerializedStatement {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly { readonly node: TreeNode }[];
}

/**
 * Decides whether a statement may run: exactly one, read-only, over our tables, with functions from the list. Each statement passes it
 * before any engine. The locks of the engines are the second barrier.
 *
 * DuckDB parses on another thread, in an instance that has no table and no access to files. Nothing is bound or run.
 */
export class StatementGate {
  readonly #instance: DuckDBInstance;
  readonly #rules: NameRules;
  readonly #trees = new KeptValues<string, SerializedStatement>(treesMax);

  private constructor(instance: DuckDBInstance, { database, tables }: AllowedTables, builtIns: readonly string[]) {
    this.#instance = instance;
    this.#rules = { database: foldName(database), tables: tables.map(foldName), builtIns: new Set(builtIns.map(foldName)) };
  }

  static async create(allowed: AllowedTables): Promise<StatementGate> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      memory_limit: '64MB',
      enable_external_access: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // Errors then carry their type as a field.
      errors_as_json: 'true',
      lock_configuration: 'true',
    });
    return new StatementGate(instance, allowed, await builtInsOf(instance));
  }

  /**
   * Checks a statement and returns the text that engines run.
   *
   * @throws QueryError `statement-invalid` with the position when it cannot be parsed, `statement-not-allowed` with the position
   * and the remedy when it does more than read our tables
   */
  async check(sql: string): Promise<StatementText> {
    const statement = readStatement(sql);
    const { text, originalOffset } = duckDbTextOf(statement);
    const place = (offset: number): SourcePosition => positionOf(statement.text, originalOffset(offset));
    const parsed = await this.#parse(text);
    if (parsed.error) throw parseError(text, parsed, place);
    const statements = parsed.statements ?? [];
    if (statements.length !== 1) throw notAllowed(`exactly one statement is allowed, not ${statements.length}`);
    const { refusal, parameters } = inspect(statements[0]!.node, this.#rules);
    if (refusal !== undefined) {
      const { byteOffset, message } = refusal;
      throw notAllowed(message, byteOffset === undefined ? undefined : place(offsetOfByte(text, byteOffset)));
    }
    if (parameters > statement.placeholders.length) throw notAllowed('a parameter must be written as ?');
    return statement;
  }

  /** The tree of one SELECT, or undefined when the text is something else. It is parsed and not checked. */
  async tree(text: string): Promise<TreeNode | undefined> {
    const parsed = await this.#parse(text).catch((error: unknown) => {
      if (error instanceof QueryError) return undefined;
      throw error;
    });
    const statements = parsed?.statements ?? [];
    return statements.length === 1 ? statements[0]!.node : undefined;
  }

  close(): void {
    this.#instance.closeSync();
  }

  async #parse(text: string): Promise<SerializedStatement> {
    const kept = this.#trees.get(text);
    if (kept !== undefined) return kept;
    const { parsed, characters } = await this.#parseNow(text);
    if (text.length + characters <= keptCharactersMax) this.#trees.keep(text, parsed);
    return parsed;
  }

  async #parseNow(text: string): Promise<{ readonly parsed: SerializedStatement; readonly characters: number }> {
    const connection = await this.#instance.connect();
    try {
      const reader = await connection
        .runAndReadAll(
          `SELECT CASE WHEN length(tree) <= ${treeCharactersMax} THEN tree END FROM (SELECT json_serialize_sql($1::VARCHAR, skip_null := true) AS tree)`,
          [text],
        )
        .catch((error: unknown) => {
          // The parser has 64 MB for one tree.
          throw duckDbErrorOf(error).type === 'Out of Memory' ? tooComplex() : error;
        });
      const tree = reader.getRows()[0]?.[0];
      if (typeof tree !== 'string') throw tooComplex();
      return { parsed: statementOf(tree, text), characters: tree.length };
    } finally {
      connection.closeSync();
    }
  }
}

function statementOf(tree: string, text: string): SerializedStatement {
  try {
    return JSON.parse(tree) as SerializedStatement;
  } catch {
    // DuckDB writes a number beyond DOUBLE as Infinity, which is not JSON. https://github.com/duckdb/duckdb/issues/17329
    const at = offsetOfOverflow(text);
    throw at === undefined
      ? invalid('it holds a value that has no place in a syntax tree')
      : invalid('the number is out of range; DOUBLE ends at about 1.8e308', positionOf(text, at));
  }
}

const quoteOrNumber = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?/giu;

/** The offset of the first number that DOUBLE cannot hold. */
function offsetOfOverflow(text: string): number | undefined {
  for (const { 0: token, index } of text.matchAll(quoteOrNumber)) {
    if (/^[\d.]/.test(token) && Number(token.replaceAll('_', '')) === Number.POSITIVE_INFINITY) return index;
  }
  return undefined;
}

/** Names that DuckDB finds in its own catalog without a schema. */
async function builtInsOf(instance: DuckDBInstance): Promise<string[]> {
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT view_name FROM duckdb_views() WHERE schema_name IN ('main', 'pg_catalog')
       UNION SELECT table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'pg_catalog')`,
    );
    return reader.getRows().map(([name]) => String(name));
  } finally {
    connection.closeSync();
  }
}

function tooComplex(): QueryError {
  return notAllowed('the statement is too complex; write it shorter');
}

function parseError(
  text: string,
  { error_type: type, error_message: message = 'it cannot be parsed', position }: SerializedStatement,
  place: (offset: number) => SourcePosition,
): QueryError {
  // The parser serialises SELECT alone: everything else parses but is not a query.
  if (type === 'not implemented')
    return notAllowed('only a SELECT (or WITH … SELECT, VALUES, FROM …) is allowed: statements here read and change nothing');
  return invalid(message.split('\n')[0]!, position === undefined ? undefined : place(offsetOfCodePoint(text, Number(position))));
}

function invalid(what: string, position?: SourcePosition): QueryError {
  return statementError('statement-invalid', 'The statement cannot be parsed: ', what, { position });
}

function notAllowed(what: string, position?: SourcePosition): QueryError {
  return statementError('statement-not-allowed', 'The statement is not allowed: ', what, { position, end: '.' });
}
