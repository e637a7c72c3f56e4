import { rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attacksPath } from '@millrace/contracts';
import { stack } from '../stack.ts';
import { AttackAdmin } from './admin/attack-admin.ts';
import { answerAdmin } from './admin/attack-routes.ts';
import { adminFile } from './admin/admin-file.ts';
import { experimentViews } from './admin/experiment-views.ts';
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

const root = join(import.meta.dirname, '..', '..', '..');
const keeper = new Keeper();
const place = adminFile(stack.home);
let group: Group | undefined;
let admin: AttackAdmin | undefined;
try {
  const server = createServer();
  server.listen(Number(values.port), '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${endpoint}${attacksPath}`;
  // The console of the query API has the screen Chaos with this setting only.
  const settings = { QUERY_CONSOLE_CHAOS_URL: endpoint };
  const started = await Group.start('experiment', { services: ['purchase', 'sink', 'query'], method: prepared, settings }, keeper);
  group = started;
  const running = new AttackAdmin({
    begin: async (plan) => await beginAttack(started, plan),
    restart: async (target) => await started.start(target as ServiceName),
    now: () => new Date(),
  });
  admin = running;
  const access = { origin: started.urls['query-api']!, experiments: async () => await experimentViews(root) };
  server.on('request', (request, response) => {
    const answer = async (): Promise<void> => {
      const asked = { method: request.method ?? '', url: request.url ?? '/', headers: request.headers };
      const { status, body } = await answerAdmin(running, asked, access);
      const headers = { 'content-type': 'application/json', 'access-control-allow-origin': access.origin };
      response.writeHead(status, headers).end(`${JSON.stringify(body, undefined, 1)}\n`);
    };
    void answer();
  });
  writeFileSync(place, JSON.stringify({ url }));
  for (const [name, address] of Object.entries(started.urls)) process.stdout.write(`  ${name.padEnd(14)}${address}\n`);
  process.stdout.write(`  ${'console'.padEnd(14)}${access.origin}/console/chaos\n`);
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
