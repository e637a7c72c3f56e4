import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExperimentError } from '../errors.ts';
import type { AttackPlan } from '../experiment/experiment-schema.ts';
import { AttackAdmin } from './attack-admin.ts';
import { answerAdmin } from './attack-routes.ts';

let actions: string[];
let isRefused: boolean;
let admin: AttackAdmin;

beforeEach(() => {
  vi.useFakeTimers();
  actions = [];
  isRefused = false;
  admin = new AttackAdmin({
    async begin({ attack, target }: AttackPlan) {
      if (isRefused) throw new ExperimentError('refused', 'The process 7 does not run in the chaos profile.');
      actions.push(`begin ${attack} on ${target}`);
      const end = async () => {
        actions.push(`end ${attack}`);
        return await Promise.resolve({ tookEffect: true, proof: 'seen' });
      };
      return await Promise.resolve({ end });
    },
    restart: async (target) => await Promise.resolve(void actions.push(`restart ${target}`)),
    now: () => new Date('2026-11-30T12:00:00Z'),
  });
});
afterEach(() => vi.useRealTimers());

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const access = { origin: 'http://127.0.0.1:3003', experiments: async () => await Promise.resolve({ experiments: [] }) };
  return await answerAdmin(admin, { method, url, headers: { host: '127.0.0.1:3010', ...headers } }, access);
}

describe('the endpoint of attacks', () => {
  it('an attack is started, listed and stopped by GET', async () => {
    const started = await get('/admin/attacks/start?attack=latency&target=kafka&seconds=20&latencyMs=500');
    expect(started).toEqual({
      status: 202,
      body: { id: 1, attack: 'latency', target: 'kafka', seconds: 20, arguments: { latencyMs: 500 }, beganAt: '2026-11-30T12:00:00.000Z' },
    });
    expect((await get('/admin/attacks')).body).toMatchObject({ running: [{ id: 1, attack: 'latency' }], ended: [] });
    expect(await get('/admin/attacks/stop?id=1')).toMatchObject({ status: 200, body: { id: 1, tookEffect: true, proof: 'seen' } });
    expect((await get('/admin/attacks')).body).toMatchObject({ running: [], ended: [{ id: 1 }] });
    expect(actions).toEqual(['begin latency on kafka', 'end latency']);
  });

  it('an attack ends after its time', async () => {
    await get('/admin/attacks/start?attack=cpu&target=purchase&seconds=2');
    await vi.advanceTimersByTimeAsync(2000);
    expect(actions).toEqual(['begin cpu on purchase', 'end cpu']);
    expect((await get('/admin/attacks')).body).toMatchObject({ running: [] });
  });

  it.each(['kill', 'shutdown', 'power-cut'])('a service that the attack %s has ended is started again', async (attack) => {
    await get(`/admin/attacks/start?attack=${attack}&target=purchase`);
    await get('/admin/attacks/stop');
    expect(actions).toEqual([`begin ${attack} on purchase`, `end ${attack}`, 'restart purchase']);
  });

  it('an attack outside the chaos profile is refused', async () => {
    isRefused = true;
    expect(await get('/admin/attacks/start?attack=cpu&target=sink')).toEqual({
      status: 403,
      body: { status: 403, detail: 'The process 7 does not run in the chaos profile.' },
    });
    expect((await get('/admin/attacks')).body).toMatchObject({ running: [] });
  });

  it.each<[what: string, url: string, headers: Record<string, string>, status: number]>([
    ['an unknown attack', '/admin/attacks/start?attack=nuke&target=kafka', {}, 400],
    ['an attack without an end', '/admin/attacks/start?attack=cpu&target=sink&seconds=3600', {}, 400],
    ['an unknown id', '/admin/attacks/stop?id=9', {}, 404],
    ['an unknown path', '/admin', {}, 404],
    ['another site', '/admin/attacks/start?attack=cpu&target=sink', { 'sec-fetch-site': 'cross-site' }, 403],
    [
      'another page of this machine',
      '/admin/attacks/start?attack=cpu&target=sink',
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:8000' },
      403,
    ],
    ['a name of another machine', '/admin/attacks/start?attack=cpu&target=sink', { host: 'evil.example' }, 403],
  ])('%s is refused', async (_, url, headers, status) => {
    expect(await get(url, headers)).toMatchObject({ status });
    expect(actions).toEqual([]);
  });

  it('the console of the profile may use the endpoint', async () => {
    const headers = { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:3003' };
    expect(await get('/admin/attacks/experiments', headers)).toEqual({ status: 200, body: { experiments: [] } });
    expect(await get('/admin/attacks/start?attack=cpu&target=sink&seconds=1', headers)).toMatchObject({ status: 202 });
    await admin.stopAll();
  });

  it('a POST is refused', async () => expect(await get('/admin/attacks', {}, 'POST')).toMatchObject({ status: 405 }));

  it('the same attack cannot run twice, and at most three run', async () => {
    await get('/admin/attacks/start?attack=cpu&target=sink');
    expect(await get('/admin/attacks/start?attack=cpu&target=sink')).toMatchObject({ status: 409 });
    await get('/admin/attacks/start?attack=io&target=sink');
    await get('/admin/attacks/start?attack=memory&target=sink');
    expect(await get('/admin/attacks/start?attack=freeze&target=sink')).toMatchObject({ status: 409 });
    await admin.stopAll();
  });
});
