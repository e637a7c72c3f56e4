import { compatibilityPartitioner } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { partitionOfKey } from './partition-of-key.ts';

describe('partitionOfKey', () => {
  it.each([
    // Values of the test of Java's Utils.murmur2, sign bit cleared.
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('the partition of %s equals that of the Java client', (key, hash) => {
    expect(partitionOfKey(Buffer.from(key), 0x8000_0000)).toBe(hash & 0x7fff_ffff);
  });

  it('the partition equals that of the Kafka client for keys of every length and script', () => {
    const script = ['a', 'Z', '0', '-', 'é', '漢', '📚'];
    for (let length = 0; length < 128; length += 1) {
      const key = Buffer.from(Array.from({ length }, (_, at) => script[(at * 5 + length) % 7]).join(''));
      expect(partitionOfKey(key, 8)).toBe(compatibilityPartitioner({ topic: 'any' }, key) % 8);
    }
  });
});
