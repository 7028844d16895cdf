import type { LintDocument } from '../../lint/lint-document.js'

/**
 * The findings as workflow commands of GitHub Actions, which shows them at their lines. Source: GitHub, "Workflow commands for GitHub
 * Actions"; the escapes are those of its toolkit, `core/src/command.ts`.
 */
export function githubText({ findings }: LintDocument): string {
  return findings
    .map(({ level, file, line, rule, message, rewrite }) => {
      const places = [`file=${property(slashed(file))}`, `line=${line}`, `title=${property(rule)}`]
      return `::${level} ${places.join(',')}::${data(`${message}\n${rewrite}`)}`
    })
    .join('\n')
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** A path as URLs and other systems write it. */
export function slashed(path: string): string {
  return path.replaceAll('\\', '/')
}
