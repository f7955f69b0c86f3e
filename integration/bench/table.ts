/** A table for people, in Markdown. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below it: what a reader has to know of the columns. */
  readonly notes?: readonly string[];
}

export function markdown({ title, head, rows, notes = [] }: Table): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const below = notes.length === 0 ? [] : ["", ...notes.map((note) => `- ${note}`)];
  return [`### ${title}`, "", line(head), rule, ...rows.map(line), ...below].join("\n");
}
