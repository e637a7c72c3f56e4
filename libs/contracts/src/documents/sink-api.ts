import { auditReportSchema } from '../audit-http.ts';
import { Type } from 'typebox';
import type { HttpApi } from './http-api.ts';

/** The HTTP surface of the sink. */
export const sinkApi: HttpApi = {
  title: 'Millrace sink',
  description: 'Lands the events of the topics as Parquet files and audits the tables.',
  version: '1.0.0',
  operations: [
    {
      method: 'GET',
      path: '/v1/audit',
      id: 'auditTable',
      tag: 'Audit',
      summary: 'Audit the table of a stream now',
      description:
        'One audit of a table runs at a time. While another one runs, the answer is 503 `overloaded` with `Retry-After`. A client that disconnects ends its audit.',
      scopes: ['admin'],
      parameters: [
        {
          in: 'query',
          name: 'stream',
          description: 'Name of the stream. Default: the first one that the process serves, purchases',
          schema: Type.String(),
        },
      ],
      answers: [{ status: 200, description: 'The report', content: { 'application/json': auditReportSchema } }],
      problems: ['not-found', 'overloaded', 'unavailable', 'deadline-exceeded'],
    },
  ],
};

/** The HTTP surface of the query worker: it has the routes of every service only. */
export const queryWorkerApi: HttpApi = {
  title: 'Millrace query worker',
  description: 'Runs the queries of the query API.',
  version: '1.0.0',
  operations: [],
};

/** The HTTP surface of the projector: it has the routes of every service only. */
export const projectorApi: HttpApi = {
  title: 'Millrace projector',
  description: 'Commits landed files to the Iceberg table.',
  version: '1.0.0',
  operations: [],
};
