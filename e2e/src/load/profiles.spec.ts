import { describe, expect, it } from 'vitest';
import { load, profileNames, smoke, soak, spike } from './profiles.ts';

describe.each([
  ['smoke', smoke],
  ['load', load],
  ['spike', spike],
  ['soak', soak(60)],
])('the profile %s', (_, { phases, thresholds }) => {
  it('each threshold names a phase that runs the stream', () => {
    const unknown = thresholds.filter(({ phase, stream }) => phases.find(({ name }) => name === phase)?.rates[stream] === undefined);
    expect(unknown).toEqual([]);
  });

  it('arrival rate, p99, errors and dropped requests of each stream are limited', () => {
    const limited = new Set(thresholds.map(({ measure, stream }) => `${stream} ${measure}`));
    const needed = ['purchase', 'batch', 'query'].flatMap((stream) =>
      ['arrival-share', 'p99-ms', 'error-share', 'dropped-share'].map((measure) => `${stream} ${measure}`),
    );
    expect(needed.filter((one) => !limited.has(one))).toEqual([]);
  });
});

it('the names of the profiles are those of the command', () => {
  expect(profileNames).toEqual(['smoke', 'load', 'stress', 'spike', 'breakpoint', 'soak']);
});
