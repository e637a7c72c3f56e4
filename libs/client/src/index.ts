export type * from './api-types.ts';
export type { CallOptions, ClientOptions } from './connection.ts';
export { MillraceError, type MillraceErrorCode, type MillraceErrorDetails } from './errors.ts';
export { PurchaseBatcher, type HeldPurchase, type PurchaseBatcherOptions } from './purchases/purchase-batcher.ts';
export { PurchaseClient, type PostOptions, type PurchaseClientOptions, type PurchaseOutcome } from './purchases/purchase-client.ts';
export {
  QueryClient,
  type LinkOptions,
  type ListFilter,
  type QueryRequest,
  type ResultCell,
  type ResultFormat,
  type ResultOptions,
  type SubmitOptions,
} from './queries/query-client.ts';
