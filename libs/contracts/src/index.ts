export * from './headers.ts';
export * from './problem.ts';
export * from './purchase-event.ts';
export * from './purchase-http.ts';
export * from './query-http.ts';
export * from './stream.ts';
export * from './table.ts';
export * from './validator.ts';
