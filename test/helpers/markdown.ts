/** The rows of the table below a line of headings, cell by cell. */
export function readTable (document: string, head: string): string[][] {
  const [, rows = ''] = document.split(`${head}\n`)
  const [, ...lines] = rows.split('\n')
  const end = lines.findIndex(line => !line.startsWith('|'))
  return lines.slice(0, end).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

/** What stands in code quotes. */
export function quoted (text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(match => String(match[1]))
}

/** The shell blocks of a document in their order, those in lists without their indentation. */
export function readShellBlocks (document: string): string[] {
  return [...document.matchAll(/^( *)```sh\n([\s\S]*?)^\1```/gm)].map(([, indent = '', block = '']) =>
    block.split('\n').map(line => line.startsWith(indent) ? line.slice(indent.length) : line).join('\n'))
}
