/** A number of kinds in random order. The numbers of the kinds differ by at most one. */
export function shuffledKinds<Kind>(kinds: readonly Kind[], count: number, random: () => number): Kind[] {
  const order = Array.from({ length: count }, (_, n) => kinds[n % kinds.length]!);
  for (let n = order.length - 1; n > 0; n -= 1) {
    const other = Math.floor(random() * (n + 1));
    [order[n], order[other]] = [order[other]!, order[n]!];
  }
  return order;
}
