import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, FaultProxy } from '@millrace/testing';
import { boundedAttack, numberOf, type Attack, type AttackArguments, type AttackScene, type Effect, type PartName } from './attack.ts';

function networkAttack(faultOf: (args: AttackArguments) => Fault): Attack {
  return async (scene, { target, seconds, args }) => {
    const proxy = proxyOf(scene, target);
    const fault = faultOf(args);
    const before = proxy.counts.seen;
    const active = await proxy.inject(fault);
    return boundedAttack(seconds, async () => {
      await active.clear();
      // Refused connections ask for nothing that could be counted.
      if (fault.kind === 'refuse') return { tookEffect: true, proof: `nothing listened on port ${proxy.port} of ${target}` };
      const seen = proxy.counts.seen - before;
      return { tookEffect: active.hits > 0, proof: `${active.hits} of ${seen} requests to ${target} met the fault ${fault.kind}` };
    });
  };
}

/** Requests are accepted and never answered. */
export const blackHole = networkAttack(() => ({ kind: 'black-hole' }));
/** Each request comes later, by `latencyMs`. */
export const latency = networkAttack((args) => ({ kind: 'slow', latencyMs: numberOf(args, 'latencyMs') }));
/** The stream runs no faster than `bytesPerSecond`. */
export const stall = networkAttack((args) => ({ kind: 'slow', bytesPerSecond: numberOf(args, 'bytesPerSecond') }));
/** Nothing listens, and every open connection is dropped. */
export const refuse = networkAttack(() => ({ kind: 'refuse' }));
/** Each connection is reset before its request is delivered. */
export const reset = networkAttack(() => ({ kind: 'reset' }));
/** Each HTTP request is answered with `status`. */
export const errorStatus = networkAttack((args) => ({ kind: 'status', status: numberOf(args, 'status', 503) }));

/**
 * The name of S3 does not resolve (`nxdomain`), resolves after `delayMs` (`slow`) or to an address where nothing listens (`wrong`). It
 * works through the module that the services preload. Open connections are dropped first, because they need no name.
 */
export const dns: Attack = async (scene, { target, seconds, args }) => {
  const mode = String(args['mode'] ?? 'nxdomain');
  if (!['nxdomain', 'slow', 'wrong'].includes(mode)) throw new Error(`The attack dns has no mode "${mode}": nxdomain, slow or wrong.`);
  const from = await linesOf(scene.distortionLog);
  await writeFile(scene.distortionFile, JSON.stringify({ dns: mode, dnsDelayMs: numberOf(args, 'delayMs', 0) }));
  await pause(distortionReadMs);
  await dropConnections(proxyOf(scene, target));
  return boundedAttack(seconds, async () => {
    await writeFile(scene.distortionFile, '{}');
    const lookups = (await linesOf(scene.distortionLog)).slice(from.length).filter((line) => line.startsWith('dns '));
    return { tookEffect: lookups.length > 0, proof: `${lookups.length} look-ups of the name of ${target} were answered as ${mode}` };
  });
};

/** The front of S3 presents a certificate that has expired. Open connections are dropped first. */
export const expiredCertificate: Attack = async (scene, { target, seconds }) => {
  const { certificates } = scene;
  if (certificates === undefined || target !== 's3') throw new Error('Only s3 has a certificate that can expire.');
  const before = certificates.refusedHandshakes;
  certificates.present('expired');
  return boundedAttack(seconds, async (): Promise<Effect> => {
    certificates.present('valid');
    const refused = certificates.refusedHandshakes - before;
    return await Promise.resolve({ tookEffect: refused > 0, proof: `${refused} TLS handshakes ended because of the certificate` });
  });
};

/** The clock of a service jumps by `offsetSeconds`. It works through the module that the services preload. */
export const clock: Attack = async (scene, { target, seconds, args }) => {
  const from = await linesOf(scene.distortionLog);
  await writeFile(scene.distortionFile, JSON.stringify({ clockOffsetMs: numberOf(args, 'offsetSeconds') * 1000 }));
  return boundedAttack(seconds, async () => {
    await writeFile(scene.distortionFile, '{}');
    const jumps = (await linesOf(scene.distortionLog)).slice(from.length).filter((line) => line.startsWith('clock '));
    return { tookEffect: jumps.length > 0, proof: `${jumps.length} processes saw the clock of ${target} jump: ${jumps.join(', ')}` };
  });
};

/** Interval at which the preloaded module reads its file, and a little more, in milliseconds. */
const distortionReadMs = 300;

async function linesOf(path: string): Promise<string[]> {
  await appendFile(path, '');
  return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
}

async function dropConnections(proxy: FaultProxy): Promise<void> {
  const refused = await proxy.inject({ kind: 'refuse' });
  await refused.clear();
}

function proxyOf(scene: AttackScene, target: string): FaultProxy {
  const proxy = scene.proxies[target as PartName] as FaultProxy | undefined;
  if (proxy === undefined) throw new Error(`There is no proxy of ${target}: ${Object.keys(scene.proxies).join(', ')}.`);
  return proxy;
}
