import { appendFileSync, readFileSync } from 'node:fs';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

/**
 * A module that services preload. It polls a file, and distorts the clock and the name of S3 as the file specifies. An attack
 * writes the file. Without the file nothing is distorted, except that the name of S3 is known.
 */
interface Distortion {
  readonly clockOffsetMs?: number;
  readonly dns?: 'nxdomain' | 'slow' | 'wrong';
  readonly dnsDelayMs?: number;
}

const { CHAOS_DISTORTION_FILE: path = '', CHAOS_DISTORTION_LOG: log = '', CHAOS_STORE_NAME: storeName = '' } = process.env;
let distortion: Distortion = {};

function read(): void {
  const before = distortion.clockOffsetMs ?? 0;
  try {
    distortion = JSON.parse(readFileSync(path, 'utf8')) as Distortion;
  } catch {
    // The file is not there yet, or is being written.
    return;
  }
  const offset = distortion.clockOffsetMs ?? 0;
  if (offset !== before && offset !== 0) appendFileSync(log, `clock process ${process.pid} by ${offset / 1000} s\n`);
}

const RealDate = Date;
const now = (): number => RealDate.now() + (distortion.clockOffsetMs ?? 0);
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given: readonly unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
});

type Callback = (error: NodeJS.ErrnoException | null, address?: string | readonly dns.LookupAddress[], family?: number) => void;

const realLookup = dns.lookup as unknown as (name: string, options: dns.LookupOptions, callback: Callback) => void;
function lookup(name: string, given: dns.LookupOptions | Callback, last?: Callback): void {
  const [options, callback] = typeof given === 'function' ? [{}, given] : [given, last!];
  if (name !== storeName) {
    realLookup(name, options, callback);
    return;
  }
  const { dns: mode, dnsDelayMs = 0 } = distortion;
  if (mode !== undefined) appendFileSync(log, `dns ${mode}\n`);
  if (mode === 'nxdomain') {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: name });
    setImmediate(() => callback(error));
    return;
  }
  // Nothing listens on the second address of loopback.
  const address = mode === 'wrong' ? '127.0.0.2' : '127.0.0.1';
  const answer = (): void => (options.all === true ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4));
  setTimeout(answer, mode === 'slow' ? dnsDelayMs : 0);
}
dns.lookup = lookup as unknown as typeof dns.lookup;
syncBuiltinESMExports();

read();
setInterval(read, 100).unref();
