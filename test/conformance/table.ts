/** A Markdown table, aligned as oxfmt aligns it. */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  // In UTF-16 units: no cell has a character that takes two.
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = widths.map((width) => '-'.repeat(width))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

/** The tables of a document: each row as its cells by the titles of their columns. */
export function parseTables(markdown: string): Map<string, string>[][] {
  const tables = markdown.match(/(?:^\|.*\|$\n?)+/gm) ?? []
  return tables.map((table) => {
    const [header = [], , ...rows] = table.trim().split('\n').map(cellsOf)
    return rows.map((cells) => new Map(header.map((title, column) => [title, cells[column] ?? ''])))
  })
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}
