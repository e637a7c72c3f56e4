import { expect, it } from 'vitest';
import { Arguments } from './arguments.ts';

const shape = {
  usage: './millrace x WORD [--deep] [--table T] [--set F=V]',
  flags: ['--deep'],
  values: ['--table', '--limit'],
  lists: ['--set'],
  words: ['WORD', 'MORE?'],
};

it('words, flags and values are read in any order', () => {
  const given = Arguments.read(['--set', 'a=1', 'w', '--deep', '--table=t', '--set=b=2', '--limit', '5'], shape);
  expect([given.words, given.has('--deep'), given.value('--table'), given.list('--set'), given.integer('--limit')]).toEqual([
    ['w'],
    true,
    't',
    ['a=1', 'b=2'],
    5,
  ]);
});

it('an invalid argument is refused, and the error shows the usage', () => {
  expect(() => Arguments.read(['w', '--dep'], shape)).toThrow('"--dep" is not known here. Usage: ./millrace x');
  expect(() => Arguments.read(['w', 'm', 'n'], shape)).toThrow('"n" is not known here');
  expect(() => Arguments.read(['w', '--table'], shape)).toThrow('--table needs a value');
  expect(() => Arguments.read(['w', '--table', 'a', '--table', 'b'], shape)).toThrow('--table is given twice');
  expect(() => Arguments.read([], shape)).toThrow('WORD is missing');
  expect(() => Arguments.read(['w', '--limit', '1.5'], shape).integer('--limit')).toThrow(
    '--limit must be a whole number of at least 0; it is "1.5"',
  );
});
