import { expect, it } from 'vitest';
import { RenewedToken } from './renewed-token.ts';

function tokens(lifetimeMs: number) {
  const state = { now: 0, fetches: 0, down: false };
  const token = new RenewedToken(
    async () => {
      state.fetches += 1;
      await Promise.resolve();
      if (state.down) throw new Error('down');
      return { value: `token ${state.fetches}`, expiresMs: state.now + lifetimeMs };
    },
    () => state.now,
  );
  return { state, token };
}

it('concurrent logins share one fetch, and the token is renewed in the second half of its life', async () => {
  const { state, token } = tokens(20_000);
  expect(await Promise.all([token.get(), token.get()])).toEqual(['token 1', 'token 1']);
  state.now = 9999;
  expect(await token.get()).toBe('token 1');
  state.now = 10_000;
  expect(await token.get()).toBe('token 2');
});

it('a token that cannot be renewed is used until it expires', async () => {
  const { state, token } = tokens(20_000);
  await token.get();
  Object.assign(state, { now: 19_999, down: true });
  expect(await token.get()).toBe('token 1');
  state.now = 20_000;
  await expect(token.get()).rejects.toThrow('down');
  state.down = false;
  expect(await token.get()).toBe('token 4');
});
