/** Permissions of a caller: post purchases, run queries, operate the service (metrics, circuits, audit). No scope implies another. */
export const scopes = ['purchases:write', 'queries:run', 'admin'] as const;

/** Name of a permission. */
export type Scope = (typeof scopes)[number];

/** True for the name of a scope that exists. */
export function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}
