import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { KafkaBatchStrategy } from './kafka-batch-strategy.ts';

let server: Server | undefined;
let strategy: KafkaBatchStrategy | undefined;
afterEach(async () => {
  await strategy?.close();
  server?.close();
});

it('tries to reach Kafka once in a call of its guard: whoever asked tries again, where the circuit sees it', async () => {
  let calls = 0;
  const connections: number[] = [];
  // A broker that takes connections and hangs up.
  server = createServer((socket) => {
    connections.push(calls);
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const thrice = Promise.withResolvers<void>();
  strategy = new KafkaBatchStrategy({
    brokers: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
    clientId: 'test',
    topic: 'purchases',
    groupId: 'test',
    guard: async (call) => {
      calls += 1;
      if (calls > 3) thrice.resolve();
      return await call();
    },
    log: () => undefined,
  });
  strategy.listen(() => undefined);
  await thrice.promise;
  expect(connections.slice(0, 3)).toEqual([1, 2, 3]);
});
