import { expect, it } from 'vitest';
import { durationText, Timeline } from './timeline.ts';

it('the timeline shows the time of each phase', () => {
  const clock = { now: 0 };
  const timeline = new Timeline(() => clock.now);
  timeline.add('npm packages', 65_000);
  timeline.add('nothing', 0);
  clock.now = 2500;
  timeline.mark('start');
  clock.now = 4000;
  timeline.mark('report');
  expect(timeline.text()).toBe('Took 1 min 9 s: npm packages 1 min 5 s, start 2.5 s, report 1.5 s.');
});

it('a duration below a minute has one decimal', () => {
  expect([0, 59_900, 59_990, 60_000, 119_600].map(durationText)).toEqual(['0.0 s', '59.9 s', '1 min 0 s', '1 min 0 s', '2 min 0 s']);
});
