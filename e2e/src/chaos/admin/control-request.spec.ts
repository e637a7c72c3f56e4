import { expect, it } from 'vitest';
import { requestOf } from './control-request.ts';

const options = { seconds: '10', set: [] };

it.each<[words: string, options: { seconds: string; set: string[] }, request: string]>([
  ['attacks', options, ''],
  ['stop', options, '/stop'],
  ['stop 3', options, '/stop?id=3'],
  ['attack cpu sink', options, '/start?attack=cpu&target=sink&seconds=10'],
  ['attack dns s3', { seconds: '5', set: ['mode=slow', 'delayMs=200'] }, '/start?attack=dns&target=s3&seconds=5&mode=slow&delayMs=200'],
])('the command "chaos %s" asks the endpoint', (words, given, request) => {
  expect(requestOf(words.split(' '), given)).toBe(request);
});

it.each(['attack cpu', 'attack cpu sink now', 'stop 1 2'])('the command "chaos %s" is refused', (words) => {
  expect(() => requestOf(words.split(' '), options)).toThrow(/^Usage/);
});
