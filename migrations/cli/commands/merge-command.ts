import type { Command } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import { examples } from '../examples.js'
import { type MergeDocument, merge } from '../merge.js'
import { perform, type Work } from '../perform.js'
import { enginesOption } from './generate-command.js'

/** `migrate merge`. */
export function addMerge(migrate: Command): void {
  const work: Work<MergeDocument, { readonly dialect?: readonly Engine[] }> = { run: merge, print: mergeText }
  migrate
    .command('merge')
    .description('join the heads that branches have left, where these changed different things')
    .argument('[name]', 'the end of its id (default: merge)')
    .addOption(enginesOption())
    .addHelpText('after', examples('latchwork migrate merge'))
    .action(perform(work))
}

function mergeText({ id, heads, ok }: MergeDocument): string {
  if (!ok) return ''
  return id === null ? 'there is nothing to join' : `wrote ${id}, which joins ${heads.join(' and ')}`
}
