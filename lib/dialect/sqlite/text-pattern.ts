/** A character that LIKE gives a meaning, or any character after the escape; a last `\` stands for itself. */
const LIKE_PART = /\\([\s\S])|[%_\\*?[]/gu

const GLOB_FOR: Readonly<Record<string, string>> = { '%': '*', _: '?' }

/** The GLOB pattern that means what a LIKE pattern with `\` as escape means. */
export function globPattern(pattern: string): string {
  return pattern.replace(LIKE_PART, (part, escaped: string | undefined) => GLOB_FOR[part] ?? globLiteral(escaped ?? part))
}

/** The LIKE pattern as SQLite takes it: a last `\`, which would there match nothing, is escaped. */
export function likePattern(pattern: string): string {
  return pattern.replace(LIKE_PART, (part) => (part === '\\' ? '\\\\' : part))
}

function globLiteral(character: string): string {
  return '*?['.includes(character) ? `[${character}]` : character
}
