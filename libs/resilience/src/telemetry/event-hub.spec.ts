import { expect, it } from 'vitest';
import { EventHub } from './event-hub.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

it('the hub reads the clock only while it has a listener', () => {
  const clock = new VirtualClock(5);
  let looks = 0;
  const hub = new EventHub('s3', {
    now: () => {
      looks += 1;
      return clock.now();
    },
    setTimeout: () => undefined,
    clearTimeout: () => undefined,
  });
  const heard: unknown[] = [];
  hub.emit({ type: 'PipelineClosed' });
  expect([hub.hasListeners, looks]).toEqual([false, 0]);
  const ends = [hub.subscribe((event) => heard.push(event)), hub.on('CacheHit', ({ ageMs }) => heard.push(ageMs))];
  expect(hub.hasListeners).toBe(true);
  hub.emit({ type: 'PipelineClosed' });
  hub.emit({ type: 'CacheHit', ageMs: 7 });
  expect(heard).toEqual([{ type: 'PipelineClosed', pipeline: 's3', atMs: 5 }, { type: 'CacheHit', ageMs: 7, pipeline: 's3', atMs: 5 }, 7]);
  ends[0]!();
  expect(hub.hasListeners).toBe(true);
  ends[1]!();
  ends[1]!();
  hub.emit({ type: 'PipelineClosed' });
  expect([hub.hasListeners, looks, heard.length]).toEqual([false, 2, 3]);
});

it('a listener that subscribes twice gets each event twice and ends each subscription alone', () => {
  const hub = new EventHub('s3', new VirtualClock());
  let heard = 0;
  const listener = (): void => void (heard += 1);
  const ends = [hub.subscribe(listener), hub.subscribe(listener)];
  hub.emit({ type: 'PipelineClosed' });
  ends[0]!();
  hub.emit({ type: 'PipelineClosed' });
  expect(heard).toBe(3);
});
