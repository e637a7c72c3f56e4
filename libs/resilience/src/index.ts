export * from './back-off.ts';
export * from './clock.ts';
