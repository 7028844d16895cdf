import { readdirSync } from 'node:fs'
import completions from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import { ID_PATTERN } from '../migration.js'

/** Adds the command `complete`, which prints what a shell needs to complete words, and the words themselves. */
export function addCompletions(program: Command): void {
  const { commands } = completions(program)
  for (const name of ['migrate resume', 'migrate mark']) {
    const id = commands.get(name)?.arguments.get('id')
    if (id !== undefined) id.handler = (complete) => idsHere().forEach((each) => void complete(each, ''))
  }
}

/** Those of the folder `migrations`: to read a configuration takes too long while somebody types. */
function idsHere(): readonly string[] {
  try {
    return readdirSync('migrations').filter((name) => ID_PATTERN.test(name))
  } catch {
    // no folder, nothing to complete
    return []
  }
}
