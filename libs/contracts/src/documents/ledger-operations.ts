import { Type } from 'typebox';
import { ledgerLimits, ledgerTimelineSchema } from '../operations/ledger-http.ts';
import type { HttpOperation, HttpParameter } from './http-api.ts';
import { deadlineParameter } from './purchase-api.ts';

const common = { tag: 'Ledger', scopes: ['admin'] } as const satisfies Partial<HttpOperation>;
const name: HttpParameter = { in: 'path', name: 'name', description: 'Name of the table', schema: Type.String() };

/** Routes of the query API to see the ledger of a table, and to audit the table. */
export const ledgerOperations: readonly HttpOperation[] = [
  {
    ...common,
    method: 'GET',
    path: '/v1/tables/{name}/ledger',
    id: 'getLedger',
    summary: 'Read the ledger of a table over a time range',
    description:
      'Entries by lane and time, with gaps and compactions. An answer takes a few seconds at most: it reads some of the entries, and says in `unread` how many are left.',
    parameters: [
      name,
      { in: 'query', name: 'from', description: 'Begin of the time range, ISO 8601. Default: one day before `to`', schema: Type.String() },
      { in: 'query', name: 'to', description: 'End of the time range, ISO 8601. Default: now', schema: Type.String() },
      {
        in: 'query',
        name: 'steps',
        description: `Number of steps. Default: ${ledgerLimits.stepsDefault}`,
        schema: Type.Integer({ minimum: 1, maximum: ledgerLimits.stepsMax, default: ledgerLimits.stepsDefault }),
      },
      deadlineParameter,
    ],
    answers: [{ status: 200, description: 'The ledger', content: { 'application/json': ledgerTimelineSchema } }],
    problems: ['not-found', 'deadline-exceeded'],
  },
  {
    ...common,
    method: 'POST',
    path: '/v1/tables/{name}/audit',
    id: 'auditTable',
    summary: 'Audit a table now',
    description:
      'Server-sent events: `running` with its progress, then `done` with the report, or `failed`. A client that disconnects ends its audit. One audit of a table runs at a time in each process, 30 minutes at most.',
    parameters: [name],
    answers: [{ status: 200, description: 'The events', content: { 'text/event-stream': Type.String() } }],
    problems: ['not-found', 'overloaded'],
  },
];
