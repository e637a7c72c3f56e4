export * from './redis-connections.ts';
export * from './redis-settings.ts';
