import {
  AggregateFunctionNode,
  AliasNode,
  ColumnNode,
  type FromNode,
  IdentifierNode,
  type JoinNode,
  ListNode,
  type OperationNode,
  OperationNodeTransformer,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  type SelectModifierNode,
  TableNode,
  type UsingNode,
  type WithNode,
} from 'kysely'
import type { BoundModel } from '../bound-model.js'
import type { MaybeField } from './field-values.js'
import { type Column, Columns, Scope, type Source } from './scope.js'

/** The columns that translated queries give, by their node; undefined: not all of them are known. */
export type KnownOutputs = WeakMap<OperationNode, Columns | undefined>

/** A reference in SQL's words, and the field it is to. */
interface Resolved {
  readonly node: ReferenceNode
  readonly field: MaybeField
}

/** A part of a query as it is in SQL, and the columns it gives. */
interface Selected {
  readonly nodes: readonly SelectionNode[]
  readonly columns: readonly Column[] | undefined
}

/** Functions that give one of the values they are given. */
export const PICKING: ReadonlySet<string> = new Set(['min', 'max'])

/**
 * Turns the names of models and properties in a query into those of tables and columns; other names stay as they are.
 *
 * What a query gives keeps the names it has in code: columns are selected `as` their property, so that results, subqueries and
 * common table expressions need no translation of their own.
 */
export abstract class NameTranslator extends OperationNodeTransformer {
  protected scope = new Scope(undefined)
  readonly #models: ReadonlyMap<string, { readonly definition: BoundModel['definition']; readonly columns: Columns }>
  readonly #outputs: KnownOutputs

  constructor(models: ReadonlyMap<string, BoundModel>, outputs: KnownOutputs) {
    super()
    this.#models = new Map([...models].map(([key, model]) => [key, { definition: model.definition, columns: columnsOf(model) }]))
    this.#outputs = outputs
  }

  // a query that was built on db.kysely and is now part of another one comes translated
  protected override transformNodeImpl<T extends OperationNode>(node: T): T {
    return this.#outputs.has(node) ? node : super.transformNodeImpl(node)
  }

  /** Runs `work` with names of its own beside those around it. */
  protected within<T>(work: () => T): T {
    const outer = this.scope
    this.scope = new Scope(outer)
    const result = work()
    this.scope = outer
    return result
  }

  protected outputsOf(node: OperationNode): Columns | undefined {
    return this.#outputs.get(node)
  }

  protected remember<T extends OperationNode>(node: T, outputs: Columns | undefined): T {
    this.#outputs.set(node, outputs)
    return node
  }

  /** Translates what a query reads from or writes to, and makes it known to the rest of the query. */
  protected source(node: OperationNode): OperationNode {
    if (TableNode.is(node)) return this.#table(node)
    if (AliasNode.is(node)) return this.#aliased(node)
    if (ListNode.is(node)) return ListNode.create(node.items.map((item) => this.source(item)))
    this.scope.sources.push({ name: undefined, table: undefined, columns: undefined, isModel: false })
    return this.transformNode(node)
  }

  #table(node: TableNode): TableNode {
    const source = this.#find(node)
    this.scope.sources.push(source)
    return source.table
  }

  #aliased(node: AliasNode): AliasNode {
    const name = IdentifierNode.is(node.alias) ? node.alias.name : undefined
    const table = name === undefined ? undefined : TableNode.create(name)
    if (TableNode.is(node.node)) {
      const found = this.#find(node.node)
      this.scope.sources.push({ ...found, name, table })
      return { ...node, node: found.table }
    }
    const translated = this.transformNode(node.node)
    this.scope.sources.push({ name, table, columns: this.outputsOf(translated), isModel: false })
    return { ...node, node: translated, alias: this.transformNode(node.alias) }
  }

  /** The table, model or common table expression that stands behind a name. */
  #find(node: TableNode): Source & { readonly table: TableNode } {
    const { schema, identifier } = node.table
    const { name } = identifier
    const expression = schema === undefined ? this.scope.findExpression(name) : undefined
    if (expression !== undefined) return { name, table: node, columns: expression.columns, isModel: false }
    const model = this.#models.get(name)
    if (model === undefined) return { name, table: node, columns: undefined, isModel: false }
    const { definition, columns } = model
    const space = schema?.name ?? definition.schema
    const table = space === undefined ? TableNode.create(definition.table) : TableNode.createWithSchema(space, definition.table)
    return { name, table, columns, isModel: true, view: definition.isView ? definition.name : undefined }
  }

  protected override transformFrom(node: FromNode): FromNode {
    return { ...node, froms: node.froms.map((from) => this.source(from)) }
  }

  protected override transformUsing(node: UsingNode): UsingNode {
    return { ...node, tables: node.tables.map((table) => this.source(table)) }
  }

  protected override transformJoin({ on, ...join }: JoinNode): JoinNode {
    const table = this.source(join.table)
    return on === undefined ? { ...join, table } : { ...join, table, on: this.transformNode(on) }
  }

  protected override transformWith(node: WithNode): WithNode {
    const expressions = node.expressions.map((each) => {
      const { table, columns: names } = each.name
      const { name } = table.table.identifier
      if (node.recursive === true) this.scope.addExpression(name, undefined)
      const expression = this.transformNode(each.expression)
      const outputs = this.outputsOf(expression)
      this.scope.addExpression(name, names === undefined ? outputs : renamed(outputs, names))
      return { ...each, expression }
    })
    return { ...node, expressions }
  }

  /** A table that is not read from here, but named: in a raw fragment, or as an argument. */
  protected override transformTable(node: TableNode): TableNode {
    return this.#named(node).table ?? node
  }

  #named(node: TableNode): Source {
    return this.scope.findSource(node.table.identifier.name) ?? this.#find(node)
  }

  protected override transformSelectModifier({ of, ...modifier }: SelectModifierNode): SelectModifierNode {
    const translated = super.transformSelectModifier(modifier)
    // a lock takes the bare name, even of a table in another schema
    const bareName = (node: OperationNode) =>
      TableNode.is(node) ? TableNode.create(this.transformTable(node).table.identifier.name) : this.transformNode(node)
    return of === undefined ? translated : { ...translated, of: of.map(bareName) }
  }

  protected override transformReference(node: ReferenceNode): ReferenceNode {
    return this.resolve(node).node
  }

  /** @throws {QueryError} the name is that of several columns */
  protected resolve(node: ReferenceNode): Resolved {
    const { table, column } = node
    if (SelectAllNode.is(column)) return { node: table === undefined ? node : { ...node, table: this.transformTable(table) }, field: null }
    const { name } = column.column
    if (table === undefined) return this.#resolveBare(node, name)
    const source = this.#named(table)
    return resolved(source.columns?.find(name), name, source.table ?? table)
  }

  #resolveBare(node: ReferenceNode, name: string): Resolved {
    const found = this.scope.findColumn(name)
    if (found === undefined) return { node, field: undefined }
    return resolved(found.column, name, found.needsTable ? found.source.table : undefined)
  }

  /** Translates what is selected: a column of another name in SQL comes out under the name of its property. */
  protected select(selections: readonly SelectionNode[]): {
    readonly selections: readonly SelectionNode[]
    readonly columns: Columns | undefined
  } {
    const { nodes, columns } = together(selections.map(({ selection }) => this.#selected(selection)))
    return { selections: nodes, columns: columns && new Columns(columns) }
  }

  #selected(node: OperationNode): Selected {
    if (SelectAllNode.is(node)) return this.#everything(this.scope.sources, node)
    if (ReferenceNode.is(node)) {
      if (!SelectAllNode.is(node.column)) return selectedColumn(this.resolve(node), node.column.column.name)
      return node.table === undefined ? this.#everything(this.scope.sources, node) : this.#everything([this.#named(node.table)], node)
    }
    const translated = this.transformNode(node)
    const nodes = [SelectionNode.create(translated as AliasNode)]
    if (!AliasNode.is(node) || !IdentifierNode.is(node.alias)) return { nodes, columns: undefined }
    const { name } = node.alias
    const field = this.fieldOf(node.node, (translated as AliasNode).node)
    return { nodes, columns: [{ name, sqlName: name, field }] }
  }

  #everything(sources: readonly Source[], star: SelectAllNode | ReferenceNode): Selected {
    const isOfModels = sources.some(({ isModel }) => isModel)
    // what has no name cannot stand in front of a star of its own
    if (!isOfModels || sources.some(({ table }) => table === undefined)) {
      return { nodes: [SelectionNode.create(this.transformNode(star) as ReferenceNode)], columns: isOfModels ? undefined : allOf(sources) }
    }
    const needsTable = ReferenceNode.is(star) || sources.length > 1
    return together(sources.map((source) => this.#allOf(source, needsTable)))
  }

  #allOf({ isModel, table, columns }: Source, needsTable: boolean): Selected {
    if (!isModel) return { nodes: [SelectionNode.createSelectAllFromTable(table!)], columns: columns?.list }
    return together(
      columns!.list.map((column) => selectedColumn(resolved(column, column.name, needsTable ? table : undefined), column.name)),
    )
  }

  /** The field whose values an expression gives. Null: none; undefined: only the database can tell. */
  protected fieldOf(node: OperationNode, translated: OperationNode): MaybeField {
    if (ReferenceNode.is(node)) return this.resolve(node).field
    if (RawNode.is(node)) return undefined
    if (ParensNode.is(node)) return this.fieldOf(node.node, (translated as ParensNode).node)
    if (AggregateFunctionNode.is(node) && PICKING.has(node.func)) {
      const argument = node.aggregated[0]
      return argument === undefined ? null : this.fieldOf(argument, argument)
    }
    const [column, ...others] = this.outputsOf(translated)?.list ?? []
    return column === undefined || others.length > 0 ? null : column.field
  }
}

function columnsOf(model: BoundModel): Columns {
  return new Columns(model.fields.map((field) => ({ name: field.name, sqlName: field.column, field })))
}

function resolved(column: Column | undefined, name: string, table: TableNode | undefined): Resolved {
  return { node: ReferenceNode.create(ColumnNode.create(column?.sqlName ?? name), table), field: column?.field }
}

function selectedColumn({ node, field }: Resolved, name: string): Selected {
  const { name: sqlName } = (node.column as ColumnNode).column
  const selection = sqlName === name ? node : AliasNode.create(node, IdentifierNode.create(name))
  return { nodes: [SelectionNode.create(selection)], columns: [{ name, sqlName: name, field }] }
}

/** Parts one after the other. */
function together(parts: readonly Selected[]): Selected {
  const isKnown = parts.every(({ columns }) => columns !== undefined)
  return { nodes: parts.flatMap(({ nodes }) => nodes), columns: isKnown ? parts.flatMap(({ columns }) => columns ?? []) : undefined }
}

/** What a star gives where none of the sources is a model. */
function allOf(sources: readonly Source[]): readonly Column[] | undefined {
  const isKnown = sources.length > 0 && sources.every(({ columns }) => columns !== undefined)
  return isKnown ? sources.flatMap(({ columns }) => columns!.list) : undefined
}

function renamed(columns: Columns | undefined, names: readonly ColumnNode[]): Columns | undefined {
  if (columns?.list.length !== names.length) return undefined
  return new Columns(
    columns.list.map(({ field }, position) => ({ name: names[position]!.column.name, sqlName: names[position]!.column.name, field })),
  )
}
