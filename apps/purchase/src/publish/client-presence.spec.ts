import { expect, it } from 'vitest';
import { ClientPresence } from './client-presence.ts';

it('a client leaves once, for the first reason, and only its present listener hears of it', () => {
  const client = new ClientPresence();
  const heard: unknown[] = [];
  client.onGone(() => heard.push('removed'));
  client.onGone((reason) => heard.push(reason));
  expect([client.isGone, client.reason]).toEqual([false, undefined]);
  client.leave('closed');
  client.leave('again');
  expect([client.isGone, client.reason, heard]).toEqual([true, 'closed', ['closed']]);
});

it('the presence of a signal ends with its abort, even with an earlier one', () => {
  const controller = new AbortController();
  const client = ClientPresence.of(controller.signal);
  controller.abort('stopped');
  expect([client.reason, ClientPresence.of(controller.signal).reason]).toEqual(['stopped', 'stopped']);
});
