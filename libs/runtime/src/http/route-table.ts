/** A route of a service. */
export interface Route {
  readonly method: string;
  /** Path in the router's own notation: `/v1/queries/:id`. */
  readonly path: string;
}

/** The methods of each path pattern: the source of `Allow`, and the bound of the route label of metrics. */
export class RouteTable {
  private readonly routes: { readonly parts: readonly string[]; readonly methods: Set<string> }[] = [];

  /** Adds a route in the router's own notation: `/v1/queries/:id`, `/files/*`. */
  add(pattern: string, methods: readonly string[]): void {
    this.routes.push({ parts: pattern.split('/'), methods: new Set(methods) });
  }

  /** Lists the routes in the order of their registration. */
  list(): readonly Route[] {
    return this.routes.flatMap(({ parts, methods }) => [...methods].map((method) => ({ method, path: parts.join('/') })));
  }

  /** Methods that some route takes under this path, in alphabetical order; empty when there is no such path. */
  methodsOf(path: string): readonly string[] {
    const parts = path.split('/');
    const found = new Set<string>();
    for (const route of this.routes) {
      if (matches(route.parts, parts)) for (const method of route.methods) found.add(method);
    }
    return [...found].toSorted();
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  const wild = pattern.at(-1) === '*';
  if (wild ? parts.length < pattern.length : parts.length !== pattern.length) return false;
  return pattern.every((part, index) => part === '*' || (part.startsWith(':') ? parts[index] !== '' : part === parts[index]));
}
