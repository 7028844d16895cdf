import { ConfigurationError, ModelError } from '../errors.js'
import { nearestName } from '../nearest-name.js'
import type { Node } from './node.js'

/** Nodes by name. */
export class NodeRegistry {
  readonly #nodes = new Map<string, Node>()

  /** @throws {ModelError} two nodes have one name */
  constructor(nodes: readonly Node[]) {
    for (const node of nodes) {
      if (this.#nodes.has(node.name))
        throw new ModelError(node.model ?? node.name, undefined, `there is another model of this name; say @model({ name }) on one of them`)
      this.#nodes.set(node.name, node)
    }
  }

  /** @throws {ConfigurationError} there is one of this name */
  add(node: Node): void {
    const { name } = node
    if (this.#nodes.has(name)) throw new ConfigurationError('node', `there is a node "${name}" already; give this one another name`)
    this.#nodes.set(name, node)
  }

  /** @throws {ConfigurationError} there is none of this name */
  get(name: string): Node {
    const node = this.#nodes.get(name)
    if (node !== undefined) return node
    const nearest = nearestName(name, [...this.#nodes.keys()])
    throw new ConfigurationError('node', `there is no node "${name}"${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
  }
}
