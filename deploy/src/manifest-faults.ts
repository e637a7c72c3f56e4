/** An object of Kubernetes, as `helm template` prints it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec?: unknown;
  readonly data?: Record<string, string>;
}

type Model = new () => { validate(): void };

/** Packages whose APIs are not Kubernetes's own. */
const packages: Readonly<Record<string, string>> = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** Lists everything that the API server would refuse or ignore in a manifest: wrong types, missing fields and unknown fields. */
export async function manifestFaults(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest;
  const name = `${kind} ${manifest.metadata.name}`;
  const path = `${packages[apiVersion.split('/')[0]!] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
  const model = ((await import(path)) as Record<string, Model>)[kind]!;
  const read = new Set<string>();
  try {
    model.prototype.validate.call(recorded(manifest, '', read));
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
  }
  return pathsOf(manifest, '').flatMap((one) => (read.has(one) ? [] : [`${name}: ${one} is not a known field.`]));
}

/** The published schemas allow unknown fields. A validator reads each field that it knows, so the others are those that it never reads. */
function recorded(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const member = (target as Record<string | symbol, unknown>)[key];
      if (typeof key === 'symbol') return member;
      read.add(`${path}/${key}`);
      return recorded(member, `${path}/${key}`, read);
    },
  });
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [`${path}/${key}`, ...pathsOf(member, `${path}/${key}`)]);
}
