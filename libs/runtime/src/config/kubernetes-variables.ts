const protocol = /^(?:tcp|udp|sctp)$/i;
const url = /^(?:tcp|udp|sctp):\/\//i;
const port = /^\d{1,5}$/;
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*|None)$/i;

/** Suffixes that Kubernetes appends to a Service's name, each with the pattern of its value. */
const shapes: readonly (readonly [ending: RegExp, value: RegExp])[] = [
  [/_SERVICE_HOST$/, address],
  [/_SERVICE_PORT(?:_[A-Z0-9_]+)?$/, port],
  [/_PORT$/, url],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)$/, url],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PROTO$/, protocol],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PORT$/, port],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_ADDR$/, address],
];

/**
 * Whether a variable is one that Kubernetes gives each container for each Service of its namespace
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables). It is not a setting, even under the name of
 * one. Name and value must both fit, so that a misspelt setting is not taken for one.
 */
export function isKubernetesVariable(name: string, value: string | undefined): boolean {
  return value !== undefined && shapes.some(([ending, shape]) => ending.test(name) && shape.test(value.trim()));
}

/** An environment without Kubernetes' variables. */
export function withoutKubernetesVariables(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => !isKubernetesVariable(name, value)));
}

/** Names of Kubernetes' variables in an environment. */
export function kubernetesVariablesOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(env).filter((name) => isKubernetesVariable(name, env[name]));
}
