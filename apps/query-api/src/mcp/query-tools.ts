import { engineNames, queryLimits, sqlQueryRequestSchema } from '@millrace/contracts';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { Type, type Static } from 'typebox';
import { isFinal, viewOf, type QueryRecord } from '../queries/query-record.ts';
import type { ToolCall, ToolParts } from './tool-call.ts';
import { toolInput } from './tool-input.ts';
import { answered, refused } from './tool-result.ts';
import { cappedRows, rowsDefault, rowsMax } from './tool-rows.ts';

/** Seconds for which a tool waits for a query when the caller names none: clients give up after 60 s. */
export const waitSecondsDefault = 30;

const { sql, parameters, maxBytesScanned } = sqlQueryRequestSchema.properties;
const engine = Type.Optional(Type.Enum([...engineNames], { description: 'Engine of the statement. Default: that of the service' }));
const rows = Type.Optional(
  Type.Integer({ minimum: 1, maximum: rowsMax, description: `Maximum number of rows in the answer. Default: ${rowsDefault}` }),
);
const waitSeconds = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: queryLimits.waitSecondsMax,
    description: `Seconds for which the answer waits for the end of the query. Default: ${waitSecondsDefault}`,
  }),
);

const estimateSchema = Type.Object({ sql, parameters, engine }, { additionalProperties: false });
const runSchema = Type.Object({ sql, parameters, engine, maxBytesScanned, rows, waitSeconds }, { additionalProperties: false });
const getSchema = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 64, description: 'Identity of the query' }), rows, waitSeconds },
  { additionalProperties: false },
);

export const estimateInput = toolInput(estimateSchema);
export const runInput = toolInput(runSchema);
export const getInput = toolInput(getSchema);

/** The cost of a statement that does not run. */
export async function estimateQuery(
  { queries }: ToolParts,
  statement: Static<typeof estimateSchema>,
  { limits }: ToolCall,
): Promise<CallToolResult> {
  return answered(await queries.estimate(statement, limits));
}

/** Submits a statement and waits for its rows. A query that takes longer continues. */
export async function runQuery(
  parts: ToolParts,
  { rows: rowLimit, waitSeconds: seconds = waitSecondsDefault, ...statement }: Static<typeof runSchema>,
  call: ToolCall,
): Promise<CallToolResult> {
  const { caller, limits } = call;
  const { record } = await parts.queries.submit(statement, undefined, caller, limits);
  const settled = isFinal(record.state) ? record : await parts.queries.settle(record, seconds * 1000, caller, limits);
  return await resultOf(parts, settled, rowLimit, call);
}

/** The state or the rows of a query that was submitted before. */
export async function getQuery(
  parts: ToolParts,
  { id, rows: rowLimit, waitSeconds: seconds = waitSecondsDefault }: Static<typeof getSchema>,
  call: ToolCall,
): Promise<CallToolResult> {
  return await resultOf(parts, await parts.queries.get(id, seconds * 1000, call.caller, call.limits), rowLimit, call);
}

async function resultOf(
  { queries }: ToolParts,
  record: QueryRecord,
  rowLimit: number = rowsDefault,
  { limits }: ToolCall,
): Promise<CallToolResult> {
  const { links: _, sql: __, ...view } = viewOf(record);
  switch (view.state) {
    case 'failed':
      return refused(`${view.error?.type.split(':').at(-1) ?? 'engine-failed'}: ${view.error?.detail ?? 'The query failed.'}`);
    case 'cancelled':
      return refused('The query was cancelled.');
    case 'succeeded': {
      const page = await queries.firstPage(record, rowLimit, limits);
      if (page === undefined)
        return refused(`The query succeeded, and its result cannot be read now. Call get_query with the id ${record.id}.`);
      return answered({ ...view, ...cappedRows(page) });
    }
    default:
      return answered({ ...view, hint: 'The query has not ended. Call get_query with its id.' });
  }
}
