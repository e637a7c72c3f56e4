import { BlockList, isIPv4, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True when only this machine can reach a listener on that address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  if (isIPv4(host)) return loopback.check(host, 'ipv4');
  return isIPv6(host) && loopback.check(host, 'ipv6');
}

/** True when a `Host` header names this machine, with or without a port. */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined) return false;
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(header);
  return isLoopback(bracketed?.[1] ?? header.replace(/:\d+$/, ''));
}
