/** @throws Error when the text of an option is not a whole number from `least` to `most` */
export function wholeNumberOption(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} takes a whole number from ${least} to ${most} (it is "${text}")`);
}
