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

/** The last header that named this machine: most requests of a service carry the same one, and the check costs more than the comparison. */
let lastLoopbackHeader: string | undefined;

/** True when a `Host` header names this machine, with or without a port. */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header === lastLoopbackHeader) return true;
  const isLoopbackName = namesLoopback(header);
  if (isLoopbackName) lastLoopbackHeader = header;
  return isLoopbackName;
}

function namesLoopback(header: string): boolean {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(header);
  return isLoopback(bracketed?.[1] ?? header.replace(/:\d+$/, ''));
}
