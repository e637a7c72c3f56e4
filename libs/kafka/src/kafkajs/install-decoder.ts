import { createRequire } from 'node:module';
import { decodeFetchResponse } from './fetch-response.ts';

/** A version of the Fetch response in kafkajs: `requests/fetch/v<version>/response.js`. */
interface ResponseModule {
  decode: (bytes: Buffer) => Promise<unknown>;
  parse: unknown;
}

/** The versions that carry record batches. kafkajs knows no later one. */
export const fetchVersions = [4, 5, 6, 7, 8, 9, 10, 11] as const;

const require = createRequire(import.meta.url);

let installed = false;

/**
 * Replaces kafkajs's decoding of Fetch responses in this process, once. The original checks no checksum, does not know snappy, lz4 or
 * zstd, and merges headers of the same name. In it, one undecodable batch fails the responses of all partitions.
 *
 * @throws Error when kafkajs is not built as this code expects
 */
export function installDecoder(): void {
  if (installed) return;
  const modules = fetchVersions.map((version) => [version, responseModule(version)] as const);
  for (const [version, module] of modules) module.decode = async (bytes) => await Promise.resolve(decodeFetchResponse(version, bytes));
  installed = true;
}

/** The module that kafkajs requires for a version of the Fetch response. */
export function responseModule(version: number): ResponseModule {
  const path = `kafkajs/src/protocol/requests/fetch/v${version}/response`;
  const module = require(path) as Partial<ResponseModule>;
  if (typeof module.decode !== 'function' || typeof module.parse !== 'function')
    throw new Error(`${path} exports no decode and parse: kafkajs has changed, and the decoder of @millrace/kafka does not fit it`);
  return module as ResponseModule;
}
