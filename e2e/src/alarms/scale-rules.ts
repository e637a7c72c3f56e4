const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Rules whose time runs faster: each `for`, each range such as `[10m]` and each threshold of a metric in seconds is divided by the factor.
 * Everything else stays as it is, so that a proof takes minutes and still tests the rules as they are delivered.
 */
export function scaleRules(rules: string, factor: number): string {
  const scaled = (amount: string, unit: string): string => `${Math.round((Number(amount) * unitMs[unit]!) / factor)}ms`;
  return rules
    .replaceAll(/^(\s+for: )(\d+)([smh])$/gm, (_all, head: string, amount: string, unit: string) => `${head}${scaled(amount, unit)}`)
    .replaceAll(/\[(\d+)([smh])\]/g, (_all, amount: string, unit: string) => `[${scaled(amount, unit)}]`)
    .replaceAll(/(_seconds\)? > )(\d+)/g, (_all, head: string, seconds: string) => `${head}${Number(seconds) / factor}`);
}
