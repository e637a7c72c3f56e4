import type { Stream } from '@millrace/contracts';
import type { Principal } from '@millrace/runtime';
import type { Tables } from '../catalog/tables.ts';
import type { RequestLimits } from '../guards.ts';
import type { QueryService } from '../queries/query-service.ts';

/** Parts of the service that tools call. */
export interface ToolParts {
  readonly queries: Pick<QueryService, 'submit' | 'settle' | 'firstPage' | 'get' | 'estimate'>;
  readonly tables: Pick<Tables, 'describe'>;
  readonly streams: readonly Stream[];
  readonly database: string;
  /** Called with an unexpected error and the name of its tool. */
  readonly onFailure: (error: unknown, tool: string) => void;
}

/** One call: its caller, and the limits of the request that carries it. */
export interface ToolCall {
  readonly caller: Principal;
  readonly limits: RequestLimits;
}
