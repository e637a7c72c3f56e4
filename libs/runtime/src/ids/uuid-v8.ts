/**
 * Makes a UUID of version 8 (RFC 9562, section 5.8) from 122 bits of a digest. The bits at the places of version and variant are replaced.
 *
 * @param digest at least 32 hexadecimal digits in lower case
 */
export function uuidV8(digest: string): string {
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) % 4]!;
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
