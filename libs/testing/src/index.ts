export * from './faults/fault.ts';
export type { ActiveFault, InjectOptions, ProxyCounts } from './faults/fault-book.ts';
export * from './faults/fault-proxy.ts';
export * from './free-port.ts';
