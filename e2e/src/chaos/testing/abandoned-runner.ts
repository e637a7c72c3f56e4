import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy, ServiceProcess } from '@millrace/testing';
import type { AttackScene } from '../attacks/attack.ts';
import { beginAttack } from '../attacks/attacks.ts';
import { chaosProfile } from '../attacks/chaos-profile.ts';
import type { AttackPlan } from '../experiment/experiment-schema.ts';
import { Keeper } from '../stage/keeper.ts';
import { makeSmallDisk } from '../stage/small-disk.ts';
import { TlsFront } from '../stage/tls-front.ts';

/** Processes, ports and directory of a runner that is killed. The dead-man switches must remove them. */
export interface Abandoned {
  readonly home: string;
  readonly service: number;
  readonly ports: readonly number[];
}

// A runner that begins the attack of its argument and never ends it. A test kills it.
const plan = JSON.parse(process.argv[2]!) as AttackPlan;
const home = mkdtempSync(join(tmpdir(), 'millrace-abandoned-'));
const keeper = new Keeper();
keeper.keepFolder(home);

const upstream = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const target = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
const proxies = {
  kafka: await FaultProxy.start({ protocol: 'kafka', target }),
  redis: await FaultProxy.start({ protocol: 'tcp', target }),
  s3: await FaultProxy.start({ protocol: 'http', target }),
  glue: await FaultProxy.start({ protocol: 'http', target }),
};
const front = await TlsFront.start(home, proxies.s3.port, 'localhost');

const disk = await makeSmallDisk(join(home, 'disk'));
const [command, ...args] = [...(disk?.wrapper ?? []), 'sleep', '120'];
const child = spawn(command, args, { env: { ...process.env, ...chaosProfile }, stdio: 'ignore' });
const service = new ServiceProcess('purchase', 'http://127.0.0.1:1', child);
keeper.keepProcess(service.pid);
// `unshare` and the shell before it have the same process id.
await new Promise((resolve) => setTimeout(resolve, 300));

const [outbox, copies] = [join(home, 'outbox'), join(home, 'synced-outbox')];
mkdirSync(outbox);
mkdirSync(copies);
writeFileSync(join(outbox, 'cursor'), 'x');
const scene: AttackScene = {
  proxies,
  processesOf: (name) => (name === 'purchase' ? [service] : []),
  diskOf: () => (disk === undefined ? undefined : `/proc/${service.pid}/root${disk.folder}`),
  poweredFolderOf: () => ({ folder: outbox, copies }),
  home,
  distortionFile: join(home, 'distortion.json'),
  distortionLog: join(home, 'distortion.log'),
  certificates: front,
};
await beginAttack(scene, plan);
const abandoned: Abandoned = { home, service: service.pid, ports: Object.values(proxies).map(({ port }) => port) };
process.stdout.write(`${JSON.stringify(abandoned)}\n`);
setInterval(() => undefined, 1000);
