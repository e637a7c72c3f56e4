import { streams, writeScopeOf } from '@millrace/contracts';

/**
 * Name of a permission: post the events of a stream, run queries, or operate the service (metrics, circuits, audit). No scope implies
 * another.
 */
export type Scope = `${string}:write` | 'queries:run' | 'admin';

/** Every permission. Each stream has its own. */
export const scopes: readonly Scope[] = [...streams.map(writeScopeOf), 'queries:run', 'admin'];

/** Returns whether a scope of this name exists. */
export function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}
