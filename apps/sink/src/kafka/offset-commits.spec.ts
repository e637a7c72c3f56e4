import { describe, expect, it } from 'vitest';
import { OffsetCommits } from './offset-commits.ts';

describe('OffsetCommits', () => {
  it('committed offsets are sent once, the last of each partition', async () => {
    const commits = new OffsetCommits();
    const sent: unknown[] = [];
    const commit = async (offsets: readonly unknown[]): Promise<void> => void sent.push(offsets);
    commits.set(0, 5);
    commits.set(1, 7);
    commits.set(0, 6);
    await commits.send(commit);
    await commits.send(commit);
    expect(sent).toEqual([
      [
        { partition: 0, offset: '6' },
        { partition: 1, offset: '7' },
      ],
    ]);
  });

  it('committed offsets wait for the next commit when one fails, unless a later offset has come meanwhile', async () => {
    const commits = new OffsetCommits();
    commits.set(0, 5);
    commits.set(1, 7);
    await commits.send(async () => {
      commits.set(1, 8);
      throw new Error('the coordinator moved');
    });
    const sent: unknown[] = [];
    await commits.send(async (offsets) => void sent.push(...offsets));
    expect(sent).toEqual([
      { partition: 1, offset: '8' },
      { partition: 0, offset: '5' },
    ]);
  });

  it('committed offsets never go back: a commit waits for the commit in flight', async () => {
    const commits = new OffsetCommits();
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    commits.set(0, 5);
    const failing = commits.send(async () => {
      await first.promise;
      order.push('5 failed');
      throw new Error('too late');
    });
    await Promise.resolve();
    commits.set(0, 6);
    const second = commits.send(async (offsets) => void order.push(`${offsets[0]!.offset} sent`));
    first.resolve();
    await Promise.all([failing, second]);
    expect(order).toEqual(['5 failed', '6 sent']);
  });

  it('committed offsets are forgotten for partitions that went to another member', async () => {
    const commits = new OffsetCommits();
    commits.set(0, 5);
    commits.set(1, 7);
    commits.set(3, 9);
    await commits.send(async () => {
      // The group is joined again while a commit is in flight.
      commits.keepOnly([1, 2]);
      throw new Error('illegal generation');
    });
    commits.set(3, 9);
    commits.keepOnly([1, 2]);
    const sent: unknown[] = [];
    await commits.send(async (offsets) => void sent.push(...offsets));
    expect(sent).toEqual([{ partition: 1, offset: '7' }]);
  });
});
