import { describe, expect, it } from 'vitest';
import { SpoolBudget } from './spool-budget.ts';
import { SpoolForecast } from './spool-forecast.ts';

const room = (bytesMax: number): SpoolBudget => new SpoolBudget({ bytesMax, openSegmentsMax: 1 }, () => undefined);

describe('SpoolForecast', () => {
  it('the forecast predicts when the spool will be full at the rate of the last minute', () => {
    const forecast = new SpoolForecast();
    forecast.sample(0, 1_000_000);
    for (let second = 60; second <= 120; second += 1) forecast.sample(second * 1000, second * 100);
    // 100 bytes a second; the drop from a million is two minutes ago.
    expect(forecast.msToFull(room(22_000))).toBe(100_000);
  });

  it('the forecast is infinite while the spool does not grow, and before it has samples', () => {
    const forecast = new SpoolForecast();
    expect(forecast.msToFull(room(100))).toBe(Number.POSITIVE_INFINITY);
    forecast.sample(0, 50);
    forecast.sample(1000, 40);
    expect(forecast.msToFull(room(100))).toBe(Number.POSITIVE_INFINITY);
    forecast.sample(2000, 100);
    expect(forecast.msToFull(room(100))).toBe(0);
  });
});
