/** A table with aligned columns; numbers to the right, grouped by thousands unless they are names such as a process id. */
export function tableText(
  columns: readonly string[],
  rows: readonly (readonly (string | number | boolean | null)[])[],
  { grouped = true }: { grouped?: boolean } = {},
): string {
  const cells = [columns, ...rows.map((row) => row.map((cell) => (grouped ? humanCell(cell) : String(cell ?? ''))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = columns.map((_, column) => rows.length > 0 && rows.every((row) => /^-?[\d.]+$/.test(String(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return lines.join('\n');
}

function humanCell(cell: string | number | boolean | null): string {
  if (cell === null) return '';
  const text = String(cell);
  return /^-?\d{4,}$/.test(text) ? groupThousands(text) : text;
}

/** 12345 → 12,345. */
export function groupThousands(digits: string | number): string {
  return String(digits).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}
