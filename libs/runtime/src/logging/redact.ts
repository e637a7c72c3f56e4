/** True when a setting or field of this name holds something that must never be shown. */
export function isSecretName(name: string): boolean {
  return /secret|password|passwd|token|credential|authorization|cookie|api[-_]?key|access[-_]?key|private[-_]?key/i.test(name);
}

/**
 * Removes secrets from text that is about to leave the process: user info in URLs, bearer and basic credentials,
 * signatures of presigned URLs.
 */
export function redactText(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, '$1[redacted]@')
    .replaceAll(/\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, '$1 [redacted]')
    .replaceAll(/\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"'\\]+/gi, '$1[redacted]');
}

/** Paths pino blanks out, whatever object they come in: up to two levels deep, as a log line's fields are. */
export const redactedPaths: readonly string[] = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  'secretAccessKey',
  'sessionToken',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
