import { expect, it } from 'vitest';
import { FullForecast } from './full-forecast.ts';

it('the forecast is infinite at first and without growth, follows the rate of its window, and is 0 when full', () => {
  const forecast = new FullForecast(10_000);
  expect(forecast.secondsToFull(0, 1000, 5000)).toBe(Number.POSITIVE_INFINITY);
  expect(forecast.secondsToFull(1000, 2000, 5000)).toBe(3);
  expect(forecast.secondsToFull(5000, 900, 5000)).toBe(Number.POSITIVE_INFINITY);
  // The samples before 5,000 ms are too old: 100 bytes in 5 s.
  expect(forecast.secondsToFull(11_500, 1000, 5000)).toBe(260);
  expect(forecast.secondsToFull(12_000, 5000, 5000)).toBe(0);
});
