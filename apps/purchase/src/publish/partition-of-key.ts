/**
 * Computes the partition of a key: Java's murmur2 without its sign bit, modulo the number of partitions. Clients that follow the Java
 * client agree, so other producers of the topic keep the order per user.
 *
 * @param key the key in UTF-8
 * @param partitions number of partitions of the topic
 */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

const multiplier = 0x5bd1_e995;
const seed = 0x9747_b28c;

/**
 * Java's murmur2 in 32-bit arithmetic. The Kafka clients for Node compute it with big integers, which costs more than the rest of a
 * message.
 */
function murmur2(data: Buffer): number {
  const { length } = data;
  let hash = seed ^ length;
  const wordsEnd = length & ~3;
  for (let at = 0; at < wordsEnd; at += 4) {
    let word = Math.imul(data.readInt32LE(at), multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const rest = length - wordsEnd;
  if (rest === 3) hash ^= data[wordsEnd + 2]! << 16;
  if (rest >= 2) hash ^= data[wordsEnd + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[wordsEnd]!, multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
