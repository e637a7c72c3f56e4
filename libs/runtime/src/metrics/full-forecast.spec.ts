import { expect, it } from 'vitest';
import { FullForecast } from './full-forecast.ts';

it('the forecast is infinite at first and without growth, follows the rate of its window, and is 0 when full', () => {
  const forecast = new FullForecast(10_000);
  const secondsToFull = (atMs: number, bytes: number, bytesMax: number): number => {
    forecast.sample(atMs, bytes);
    return forecast.msToFull(bytesMax) / 1000;
  };
  expect(forecast.msToFull(5000)).toBe(Number.POSITIVE_INFINITY);
  expect(secondsToFull(0, 1000, 5000)).toBe(Number.POSITIVE_INFINITY);
  expect(secondsToFull(1000, 2000, 5000)).toBe(3);
  expect(secondsToFull(5000, 900, 5000)).toBe(Number.POSITIVE_INFINITY);
  // The samples before 5,000 ms are too old: 100 bytes in 5 s.
  expect(secondsToFull(11_500, 1000, 5000)).toBe(260);
  expect(secondsToFull(12_000, 5000, 5000)).toBe(0);
});
