import { operatorCommands as known } from '@millrace/operator';
import { describe, expect, it } from 'vitest';
import { asksForHelp, operatorCommands, purposeOf, usage, usageFault } from './command-line.mjs';

const faultOf = (line: string): string | undefined => usageFault(line.split(' '));

describe('the command line', () => {
  it('the command line has all commands of the operator tool', () => {
    expect(operatorCommands).toEqual(known);
  });

  it('the usage shows every command', () => {
    const shown = [...usage.matchAll(/^ {2}\.\/millrace ([a-z-]+)/gm)].map(([, command]) => command);
    expect(shown).toEqual([
      'up',
      'down',
      'status',
      'start',
      'stop',
      'test',
      'verify',
      'crash-matrix',
      'bench',
      'load',
      'chaos',
      'chaos',
      'chaos',
      'chaos',
      ...operatorCommands.map((name) => name.split(' ')[0]),
    ]);
    expect(usage.split('\n').filter((line) => line.length > 140)).toEqual([]);
  });

  it.each([
    'up',
    'up --detach',
    'down',
    'status --json',
    'start kafka',
    'start kafka-3',
    'up --detach --brokers 3',
    'start sink --as sink-2',
    'stop sink-2',
    'test',
    'test --quick',
    'bench purchase --json',
    'load smoke --json',
    'load soak --minutes 5',
    'chaos run chaos/kafka-down.yaml --json',
    'chaos all --only kafka-down',
    'chaos serve --port 3010',
    'chaos attack latency kafka --seconds 5 --set latencyMs=300',
    'chaos attacks',
    'chaos stop 2',
    'verify sink-model 100',
    'crash-matrix --faults 3',
    'audit --deep',
    'trace x',
    'verify store http://127.0.0.1:9000/lake',
  ])('the command line "%s" is valid', (line) => {
    expect(faultOf(line)).toBeUndefined();
  });

  it.each([
    ['upp', /^There is no command "upp"\.\n\nMillrace carries/],
    ['up now', /^Unknown argument "now": \.\/millrace up takes --detach, --trino, --brokers\.$/],
    ['up --brokers 2', /^--brokers takes 1 or 3\.$/],
    ['up --brokers', /^--brokers takes 1 or 3\.$/],
    ['down --json', /^Unknown argument "--json": \.\/millrace down takes no arguments\.$/],
    ['start', /^Usage: \.\/millrace start NAME \[--as ALIAS\]$/],
    ['start sink --as', /^Usage/],
    ['start sink --as Sink', /^Usage/],
    [
      'start mysql',
      /^There is no "mysql": the parts are kafka, redis, aws, trino, athena, the services purchase, sink, query-api, query-worker, projector\.$/,
    ],
    ['stop', /^Usage: \.\/millrace stop NAME$/],
    ['verify nothing', /^\.\/millrace verify takes one of: .*sink-model/],
    ['chaos run', /^Usage: \.\/millrace chaos run FILE/],
    ['chaos all x.yaml', /^Usage: \.\/millrace chaos run FILE/],
    ['chaos attack cpu', /^Usage: \.\/millrace chaos run FILE/],
    ['load', /^\.\/millrace load takes one of: smoke, load, stress, spike, breakpoint, soak\.$/],
    ['load smoke --fast', /^Unknown argument "--fast": \.\/millrace load takes --json, --minutes, --hours\.$/],
    ['bench', /^\.\/millrace bench takes one of: .*purchase/],
  ])('the command line "%s" is refused', (line, fault) => {
    expect(faultOf(line)).toMatch(fault);
  });

  it('a request for help is recognized', () => {
    expect([[], ['help'], ['-h'], ['up', '--help']].map(asksForHelp)).toEqual([true, true, true, true]);
    // A command of the operator has its own help.
    expect([['up'], ['audit', '--help']].map(asksForHelp)).toEqual([false, false]);
  });

  it.each([
    ['up --detach', 'up'],
    ['test', 'own-stack'],
    ['verify sink-model', 'own-stack'],
    ['chaos all', 'own-stack'],
    ['chaos serve', 'own-stack'],
    ['chaos attacks', 'install'],
    ['test --quick', 'install'],
    ['audit', 'install'],
    ['verify store http://127.0.0.1:9000/lake', 'install'],
  ])('"%s" checks the machine for the purpose %s', (line, purpose) => {
    expect(purposeOf(line.split(' '))).toBe(purpose);
  });
});
