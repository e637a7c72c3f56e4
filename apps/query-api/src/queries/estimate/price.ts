import type { EngineName } from '@millrace/contracts';

const mebibyte = 1024 ** 2;
const tebibyte = 1024 ** 4;
/** Minimum bytes that Athena bills for one query. */
const billedBytesMin = 10 * mebibyte;

/** Cost of scanned bytes. */
export interface Price {
  readonly billedBytes: number;
  /** US dollars. */
  readonly usd: number;
}

/**
 * The price of scanned bytes as Athena bills them: rounded up to whole megabytes, ten at least. Undefined for engines that bill no bytes.
 *
 * @param usdPerTb price of a terabyte, in US dollars
 * @see https://aws.amazon.com/athena/pricing/
 */
export function priceOf(engine: EngineName, bytesScanned: number, usdPerTb: number): Price | undefined {
  if (engine !== 'athena') return undefined;
  const billedBytes = Math.max(billedBytesMin, Math.ceil(bytesScanned / mebibyte) * mebibyte);
  return { billedBytes, usd: (billedBytes / tebibyte) * usdPerTb };
}
