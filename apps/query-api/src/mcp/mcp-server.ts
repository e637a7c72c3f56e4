import { McpServer, type CallToolResult, type StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { followEvent, followInput } from './follow-event.ts';
import { estimateInput, estimateQuery, getInput, getQuery, runInput, runQuery } from './query-tools.ts';
import { describeInput, describeTable, listTables, noInput } from './table-tools.ts';
import type { ToolCall, ToolParts } from './tool-call.ts';
import { toolResult } from './tool-result.ts';

const instructions =
  'Read-only SQL over tables of landed events. Call list_tables first. Name only the columns that you need, and put a condition on the partition key: both reduce the bytes that count against the daily budget of the caller.';

/** Every tool reads, and none changes data. */
const annotations = { readOnlyHint: true, destructiveHint: false, openWorldHint: false } as const;

/** The tools for one call. Each is a function of the query API under the rights and the budget of the caller. */
export function mcpServerFor(parts: ToolParts, call: ToolCall): McpServer {
  const server = new McpServer({ name: 'millrace', title: 'Millrace query API', version: '1.0.0' }, { instructions });
  const add = <Input>(
    name: string,
    title: string,
    description: string,
    inputSchema: StandardSchemaWithJSON<Input, Input>,
    run: (input: Input) => CallToolResult | Promise<CallToolResult>,
  ): void => {
    server.registerTool(
      name,
      { title, description, inputSchema, annotations },
      async (input) =>
        await toolResult(
          async () => await run(input),
          (error) => {
            // The answer of an aborted call has no reader.
            if (call.limits.signal?.aborted !== true) parts.onFailure(error, name);
          },
        ),
    );
  };
  add('list_tables', 'List the tables', 'Lists the tables with the names, types and meanings of their columns.', noInput, () =>
    listTables(parts),
  );
  add(
    'describe_table',
    'Describe a table',
    'Shows rows, bytes, the 30 newest partitions and the freshness of a table, and rows of its newest partition on request.',
    describeInput,
    async (input) => await describeTable(parts, input, call),
  );
  add(
    'estimate_query',
    'Estimate a statement',
    'Estimates the bytes that a SELECT would scan, and its price on Athena. Nothing runs.',
    estimateInput,
    async (input) => await estimateQuery(parts, input, call),
  );
  add(
    'run_query',
    'Run a statement',
    'Runs one SELECT. Each ? takes one value of `parameters`. The answer has the first rows; `truncated` says whether the result has more. A query that has not ended in time continues under its `id`.',
    runInput,
    async (input) => await runQuery(parts, input, call),
  );
  add(
    'get_query',
    'Get a query',
    'Waits for a query of run_query that had not ended, and shows its first rows.',
    getInput,
    async (input) => await getQuery(parts, input, call),
  );
  add(
    'follow_event',
    'Follow an event',
    'Says whether the table has the row of an event, and shows the row. With partition and offset of its receipt, it waits until the table holds them.',
    followInput,
    async (input) => await followEvent(parts, input, call),
  );
  return server;
}
