import { queryLimits } from '@millrace/contracts';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { Type, type Static } from 'typebox';
import { columnsOf } from '../catalog/table-detail.ts';
import type { ToolCall, ToolParts } from './tool-call.ts';
import { toolInput } from './tool-input.ts';
import { answered } from './tool-result.ts';

/** Newest partitions in an answer. */
const partitionsMax = 30;

const describeSchema = Type.Object(
  {
    table: Type.String({ minLength: 1, maxLength: 255, description: 'Name of the table' }),
    sampleRows: Type.Optional(
      Type.Integer({ minimum: 0, maximum: queryLimits.sampleRowsMax, description: 'Rows of the newest partition to show. Default: 0' }),
    ),
  },
  { additionalProperties: false },
);

export const noInput = toolInput(Type.Object({}, { additionalProperties: false }));
export const describeInput = toolInput(describeSchema);

/** The tables with their columns. */
export function listTables({ streams, database }: ToolParts): CallToolResult {
  return answered({ tables: streams.map((stream) => ({ name: stream.table, database, columns: columnsOf(stream) })) });
}

/** One table with its newest partitions. A sample is a query of the caller. */
export async function describeTable(
  { tables }: ToolParts,
  { table, sampleRows = 0 }: Static<typeof describeSchema>,
  { caller, limits }: ToolCall,
): Promise<CallToolResult> {
  const detail = await tables.describe(table, sampleRows, caller, limits);
  return answered({ ...detail, partitions: detail.partitions.slice(0, partitionsMax) });
}
