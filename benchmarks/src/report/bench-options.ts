/** @throws Error when the text of an option is not a whole number from 1 */
export function wholeNumber(option: string, text: string | undefined, usage: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} must be a whole number from 1. Usage: ${usage}`);
  return value;
}

/** The whole number after an option, or `fallback` without the option. */
export function numberAfter(args: readonly string[], option: string, fallback: number, usage: string): number {
  const at = args.indexOf(option);
  return at < 0 ? fallback : wholeNumber(option, args[at + 1], usage);
}

/**
 * The address of the local stack's S3, Glue and Athena.
 *
 * @throws Error when it is not on loopback, where no load may go
 */
export function loopbackEndpoint(): string {
  const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
  if (!/^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(endpoint)) throw new Error(`the load goes to loopback only, not to ${endpoint}`);
  return endpoint;
}
