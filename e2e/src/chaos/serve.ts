import { rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { stack } from '../stack.ts';
import { AttackAdmin } from './admin/attack-admin.ts';
import { answerAdmin } from './admin/attack-routes.ts';
import { adminFile } from './admin/admin-file.ts';
import type { ServiceName } from './attacks/attack.ts';
import { beginAttack } from './attacks/attacks.ts';
import type { AttackPlan } from './experiment/experiment-schema.ts';
import { Group } from './stage/group.ts';
import { Keeper } from './stage/keeper.ts';
import { stoppingSignal } from './stopping.ts';

// `./millrace chaos serve`: services in the chaos profile, and the endpoint that attacks them.
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const stopping = stoppingSignal('the chaos profile');

/** Attacks for which the services are started in another way. The endpoint must be able to begin each of them. */
const prepared: AttackPlan[] = [
  { attack: 'dns', target: 's3', seconds: 1 },
  { attack: 'clock', target: 'sink', seconds: 1 },
  { attack: 'expired-certificate', target: 's3', seconds: 1 },
  { attack: 'power-cut', target: 'purchase', seconds: 1 },
  { attack: 'disk-full', target: 'sink', seconds: 1 },
];

const keeper = new Keeper();
const place = adminFile(stack.home);
let group: Group | undefined;
let admin: AttackAdmin | undefined;
try {
  const started = await Group.start('experiment', { services: ['purchase', 'sink', 'query'], method: prepared }, keeper);
  group = started;
  const running = new AttackAdmin({
    begin: async (plan) => await beginAttack(started, plan),
    restart: async (target) => await started.start(target as ServiceName),
    now: () => new Date(),
  });
  admin = running;
  const server = createServer((request, response) => {
    void answerAdmin(running, { method: request.method ?? '', url: request.url ?? '/', headers: request.headers }).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, undefined, 1)}\n`),
    );
  });
  server.listen(Number(values.port), '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin/attacks`;
  writeFileSync(place, JSON.stringify({ url }));
  for (const [name, address] of Object.entries(started.urls)) process.stdout.write(`  ${name.padEnd(14)}${address}\n`);
  process.stdout.write(`  ${'attacks'.padEnd(14)}${url}\nCtrl-C ends the attacks and the services.\n`);
  if (!stopping.aborted) await once(stopping, 'abort');
  server.close();
} finally {
  rmSync(place, { force: true });
  await admin?.stopAll();
  await group?.close();
  await keeper.close();
}
// Idle connections to Kafka and S3 must not keep the command from its end.
process.exit();
