import type { DrawHex } from './random-hex.ts';

/** Digits of a UUIDv7 that are random; one more gives the two random bits beside the variant. */
const randomDigits = 18;

/**
 * Makes a UUIDv7 (RFC 9562, section 5.7): 48 bits of time, then 74 random bits.
 *
 * @param nowMs Epoch milliseconds.
 */
export function uuidV7(nowMs: number, draw: DrawHex): string {
  const time = nowMs.toString(16).padStart(12, '0');
  const random = draw(randomDigits + 1);
  const variant = (8 | (Number.parseInt(random[randomDigits]!, 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(3, 6)}-${random.slice(6, randomDigits)}`;
}
