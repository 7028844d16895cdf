/** The code blocks of one language, in order. */
export function codeBlocks(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, code]) => (tag === language ? [code!] : []))
}

/**
 * The rows of the table whose first column is headed so, each as its cells by their heads.
 *
 * @throws there is none, or more than one
 */
export function tableOf(markdown: string, firstHead: string): readonly Readonly<Record<string, string>>[] {
  const lines = markdown.split('\n')
  const starts = lines.flatMap((line, at) => (line.startsWith(`| ${firstHead} |`) ? [at] : []))
  const [start] = starts
  if (start === undefined || starts.length > 1) throw new Error(`${starts.length} tables begin with "${firstHead}"`)
  const heads = cellsOf(lines[start]!)
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) => Object.fromEntries(cellsOf(line).map((cell, at) => [heads[at]!, cell])))
}

/** The pieces of `code` in a text. */
export function codeSpans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
}

function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}
