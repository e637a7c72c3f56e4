/** Texts as SQL literals, separated by commas. */
export function sqlList(texts: readonly string[]): string {
  return texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
}
