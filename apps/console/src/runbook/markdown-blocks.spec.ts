import { describe, expect, it } from 'vitest';
import { blocksOf, slugOf } from './markdown-blocks.ts';

describe('blocksOf', () => {
  it('headings, paragraphs with a title, lists, tables and code become blocks of text', () => {
    const text = [
      '# Operations `now`',
      '',
      '**S3 is down.** The spool',
      'holds *batches*; see [the proof](s3-outage.md).',
      '- one `a|b`',
      '  goes on',
      '- two',
      '',
      '| a | b |',
      '| --- | --- |',
      String.raw`| x \| y | **z** |`,
      '```sh',
      '# not a heading',
      '```',
    ].join('\n');
    expect(blocksOf(text)).toEqual([
      { kind: 'heading', level: 1, id: 'operations-now', text: 'Operations now' },
      {
        kind: 'paragraph',
        id: 's3-is-down',
        inlines: [
          { text: 'S3 is down.', as: 'strong' },
          { text: ' The spool holds ' },
          { text: 'batches', as: 'em' },
          { text: '; see ' },
          { text: 'the proof', href: 's3-outage.md' },
          { text: '.' },
        ],
      },
      { kind: 'list', items: [[{ text: 'one ' }, { text: 'a|b', as: 'code' }, { text: ' goes on' }], [{ text: 'two' }]] },
      {
        kind: 'table',
        head: [[{ text: 'a' }], [{ text: 'b' }]],
        rows: [[[{ text: 'x | y' }], [{ text: 'z', as: 'strong' }]]],
      },
      { kind: 'code', text: '# not a heading' },
    ]);
  });

  it('the identity of a title has letters, digits and hyphens', () => {
    expect(slugOf('A record that nothing can decode!')).toBe('a-record-that-nothing-can-decode');
  });
});
