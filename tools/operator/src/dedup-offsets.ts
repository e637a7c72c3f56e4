/** How far back the sink looks for the same event, in offsets, by the sink's own setting. */
export function dedupOffsetsOf(env: Readonly<Record<string, string>>): number {
  const offsets = Number(env['SINK_DEDUP_OFFSETS'] ?? 131_072);
  return Number.isSafeInteger(offsets) && offsets >= 0 ? offsets : 131_072;
}
