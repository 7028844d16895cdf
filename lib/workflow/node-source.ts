import type { Node } from '../nodes/node.js'

/** What finds nodes by name: a database. */
export interface NodeSource {
  node(name: string): Node
}
