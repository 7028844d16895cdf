import {
  type AggregateFunctionNode,
  AndNode,
  type BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type DeleteQueryNode,
  type InsertQueryNode,
  type LimitNode,
  type MergeQueryNode,
  type OffsetNode,
  type OnConflictNode,
  type OperationNode,
  OperatorNode,
  type OrderByItemNode,
  type OrderByNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  type ReturningNode,
  type RootOperationNode,
  type SelectQueryNode,
  TableNode,
  TupleNode,
  type UpdateQueryNode,
  ValueListNode,
  ValueNode,
  type ValuesItemNode,
  ValuesNode,
} from 'kysely'
import type { Dialect } from '../../dialect/dialect.js'
import { ReadOnlyError, UnsupportedError } from '../../errors.js'
import type { BoundModel } from '../bound-model.js'
import { FieldValues, isSameType, type MaybeField } from './field-values.js'
import { type KnownOutputs, NameTranslator, PICKING } from './name-translator.js'
import { type Column, Columns, Scope } from './scope.js'

/** Statements with models in them; those of the schema builder speak of tables and columns by their own names. */
const WITH_MODELS: ReadonlySet<string> = new Set([
  'SelectQueryNode',
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
  'RawNode',
])

/** Operators with values of one type on both sides. */
const COMPARISONS: ReadonlySet<string> = new Set([
  ...['=', '==', '!=', '<>', '<', '<=', '>', '>=', '<=>', 'in', 'not in', 'is', 'is not'],
  ...['is distinct from', 'is not distinct from', 'between', 'between symmetric'],
])
const ORDERINGS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', 'between', 'between symmetric'])
const LIST_OPERATORS: ReadonlySet<string> = new Set(['in', 'not in'])

/** Turns a query in the words of the models into one in the words of the database, its values in the driver's form. */
export class QueryTranslator extends NameTranslator {
  readonly #dialect: Dialect
  readonly #values: FieldValues

  constructor(models: ReadonlyMap<string, BoundModel>, dialect: Dialect, outputs: KnownOutputs) {
    super(models, outputs)
    this.#dialect = dialect
    this.#values = new FieldValues(dialect, models.values())
  }

  /**
   * @throws {ValidationError} a value is not of the type of the field it stands against
   * @throws {QueryError} a name could mean several things
   * @throws {UnsupportedError} the engine cannot do it
   * @throws {ReadOnlyError} it writes to a view
   */
  translate<T extends RootOperationNode>(node: T): T {
    if (!WITH_MODELS.has(node.kind)) return node
    try {
      if (RawNode.is(node)) for (const table of tablesIn(node)) this.source(table)
      return this.transformNode(node)
    } finally {
      // an error may have left both in the middle of a query
      this.scope = new Scope(undefined)
      this.nodeStack.length = 0
    }
  }

  protected override transformSelectQuery({ with: expressions, setOperations, ...select }: SelectQueryNode): SelectQueryNode {
    return this.within(() => {
      const ahead = this.transformNode(expressions)
      const { node, outputs } = this.within(() => this.#select(select))
      // beside the first query, not in it: the names of its tables mean nothing here
      const others = this.transformNodeList(setOperations)
      const combined = (others ?? []).reduce((all, { expression }) => combine(all, this.outputsOf(expression)), outputs)
      const whole = withParts(node, { with: ahead, setOperations: others })
      return this.remember(whole, select.explain === undefined ? combined : undefined)
    })
  }

  #select({ from, joins, selections = [], orderBy, ...rest }: SelectQueryNode) {
    // first what names the tables, then what speaks of them
    const sources = { from: this.transformNode(from), joins: this.transformNodeList(joins) }
    const selected = this.select(selections)
    const order = orderBy && this.#orderBy(orderBy, selected.columns)
    const node = withParts(super.transformSelectQuery(rest), { ...sources, selections: selected.selections, orderBy: order })
    return { node, outputs: selected.columns }
  }

  /** In SQL, too, a bare name means first what is selected under it. */
  #orderBy(node: OrderByNode, outputs: Columns | undefined): OrderByNode {
    const items = node.items.map((item) => {
      const output = outputNamedBy(item.orderBy, outputs)
      if (output === undefined) return this.transformNode(item)
      return { ...super.transformOrderByItem({ ...item, orderBy: NOTHING }), orderBy: this.#values.ordered(item.orderBy, output.field) }
    })
    return { ...node, items }
  }

  protected override transformOrderByItem(node: OrderByItemNode): OrderByItemNode {
    const item = super.transformOrderByItem(node)
    return { ...item, orderBy: this.#values.ordered(item.orderBy, this.fieldOf(node.orderBy, item.orderBy)) }
  }

  protected override transformInsertQuery({ with: expressions, into, columns, values, ...rest }: InsertQueryNode): InsertQueryNode {
    return this.within(() => {
      if (rest.returning !== undefined) this.#requireReturning()
      const ahead = this.transformNode(expressions)
      // a query whose rows are inserted does not see the table they go to
      const query = values !== undefined && !ValuesNode.is(values) ? this.transformNode(values) : undefined
      const table = into && this.#target(into)
      this.scope.filled = columns?.map(({ column }) => this.#targetColumn(column.name)) ?? []
      const parts = {
        with: ahead,
        into: table as TableNode | undefined,
        columns: columns && this.#targetColumns(columns),
        values: query ?? this.transformNode(values),
      }
      return this.#written(withParts(super.transformInsertQuery(rest), parts))
    })
  }

  protected override transformUpdateQuery({ with: expressions, table, from, joins, ...rest }: UpdateQueryNode): UpdateQueryNode {
    return this.within(() => {
      if (rest.returning !== undefined) this.#requireReturning()
      const ahead = this.transformNode(expressions)
      const target = table && this.#target(table)
      const parts = { with: ahead, table: target, from: this.transformNode(from), joins: this.transformNodeList(joins) }
      return this.#written(withParts(super.transformUpdateQuery(rest), parts))
    })
  }

  protected override transformDeleteQuery({ with: expressions, from, using, joins, ...rest }: DeleteQueryNode): DeleteQueryNode {
    return this.within(() => {
      if (rest.returning !== undefined) this.#requireReturning()
      const ahead = this.transformNode(expressions)
      const target = this.transformNode(from)
      this.#requireWritable()
      const sources = { from: target, using: this.transformNode(using), joins: this.transformNodeList(joins) }
      return this.#written(withParts(super.transformDeleteQuery({ ...rest, from: NOTHING as never }), { with: ahead, ...sources }))
    })
  }

  protected override transformMergeQuery({ with: expressions, into, ...rest }: MergeQueryNode): MergeQueryNode {
    return this.within(() => {
      const ahead = this.transformNode(expressions)
      const target = this.#target(into) as MergeQueryNode['into']
      return this.#written(withParts(super.transformMergeQuery({ ...rest, into: NOTHING as never }), { with: ahead, into: target }))
    })
  }

  protected override transformReturning(node: ReturningNode): ReturningNode {
    const { selections, columns } = this.select(node.selections)
    return this.remember({ ...node, selections }, columns)
  }

  // Kysely would take the rows for none, and MariaDB, unlike MySQL, send them
  #requireReturning(): void {
    if (this.#dialect.createAdapter().supportsReturning) return
    throw new UnsupportedError('RETURNING', this.#dialect.engine, 'read the row in the same transaction, or use the nodes, which do')
  }

  /** A statement that gives rows only where it returns some. */
  #written<T extends RootOperationNode & { readonly returning?: ReturningNode; readonly explain?: OperationNode }>(node: T): T {
    return this.remember(node, node.returning === undefined || node.explain !== undefined ? undefined : this.outputsOf(node.returning))
  }

  #target(node: OperationNode): OperationNode {
    const translated = this.source(node)
    this.#requireWritable()
    if (this.scope.sources.length === 1) this.scope.target = this.scope.sources[0]
    return translated
  }

  /** Whether all sources so far may be written to. */
  #requireWritable(): void {
    const { view } = this.scope.sources.find((source) => source.view !== undefined) ?? {}
    if (view !== undefined) throw new ReadOnlyError(`${view} is a view, which is read and never written`)
  }

  #targetColumn(name: string): Column | undefined {
    return this.scope.findTarget()?.columns?.find(name)
  }

  #targetColumns(columns: readonly ColumnNode[]): readonly ColumnNode[] {
    return columns.map(({ column }) => ColumnNode.create(this.#targetColumn(column.name)?.sqlName ?? column.name))
  }

  protected override transformOnConflict({ columns, ...rest }: OnConflictNode): OnConflictNode {
    return this.within(() => {
      const target = this.scope.findTarget()
      const excluded = { name: 'excluded', table: TableNode.create('excluded'), columns: target?.columns, isModel: false }
      this.scope.sources.push(...(target === undefined ? [] : [target]), excluded)
      return withParts(super.transformOnConflict(rest), { columns: columns && this.#targetColumns(columns) })
    })
  }

  protected override transformColumnUpdate({ column, value, ...rest }: ColumnUpdateNode): ColumnUpdateNode {
    if (!ColumnNode.is(column)) {
      const translated = this.transformNode(column)
      return { ...rest, column: translated, value: this.#operand(value, this.fieldOf(column, translated)) }
    }
    const { name } = column.column
    const found = this.#targetColumn(name) ?? this.scope.findColumn(name)?.column
    return { ...rest, column: ColumnNode.create(found?.sqlName ?? name), value: this.#operand(value, found?.field) }
  }

  protected override transformValues(node: ValuesNode): ValuesNode {
    const fields = this.scope.filled.map((column) => column?.field)
    return { ...node, values: node.values.map((row) => this.#row(row, fields)) }
  }

  /** Values one beside the other, each against a field of its own. */
  #row<T extends ValuesItemNode | TupleNode>(node: T, fields: readonly MaybeField[]): T {
    const values = PrimitiveValueListNode.is(node)
      ? node.values.map((value, position) => this.#values.encode(value, fields[position]))
      : (node as ValueListNode | TupleNode).values.map((value, position) => this.#operand(value, fields[position]))
    return { ...node, values }
  }

  protected override transformBinaryOperation(node: BinaryOperationNode): BinaryOperationNode {
    const { leftOperand, operator, rightOperand } = node
    const name = OperatorNode.is(operator) ? operator.operator : ''
    if (!COMPARISONS.has(name)) return super.transformBinaryOperation(node)
    const left = this.#fieldsOf(leftOperand)
    const right = this.#fieldsOf(rightOperand)
    const isList = LIST_OPERATORS.has(name)
    const sides = [this.#operand(leftOperand, right, isList), this.#operand(rightOperand, left, isList)] as const
    const field = ORDERINGS.has(name) ? [left, right].find((each) => each && !Array.isArray(each)) : undefined
    const [leftSide, rightSide] = sides.map((side) => this.#ordered(side, field as MaybeField))
    return { ...node, leftOperand: leftSide!, rightOperand: rightSide! }
  }

  #ordered(node: OperationNode, field: MaybeField): OperationNode {
    if (AndNode.is(node)) return AndNode.create(this.#values.ordered(node.left, field), this.#values.ordered(node.right, field))
    return this.#values.ordered(node, field)
  }

  /** The field that an operand stands for; of a tuple, those of its parts. */
  #fieldsOf(node: OperationNode): MaybeField | readonly MaybeField[] {
    if (TupleNode.is(node)) return node.values.map((value) => this.fieldOf(value, value))
    return this.fieldOf(node, node)
  }

  /** Translates an operand; bound values in it get the form of the field that stands on the other side. */
  #operand(node: OperationNode, against: MaybeField | readonly MaybeField[], isList = false): OperationNode {
    if (isFields(against)) return this.#tuples(node, against)
    if (ValueNode.is(node)) return node.immediate === true ? node : ValueNode.create(this.#values.encode(node.value, against))
    if (PrimitiveValueListNode.is(node)) {
      // beside `=` an array is one value of a field that holds arrays or JSON
      if (!isList && against) return ValueNode.create(this.#values.encode(node.values, against))
      return PrimitiveValueListNode.create(node.values.map((value) => this.#values.encode(value, against)))
    }
    if (ValueListNode.is(node)) return ValueListNode.create(node.values.map((value) => this.#operand(value, against)))
    if (AndNode.is(node)) return AndNode.create(this.#operand(node.left, against), this.#operand(node.right, against))
    return this.transformNode(node)
  }

  #tuples(node: OperationNode, fields: readonly MaybeField[]): OperationNode {
    if (TupleNode.is(node)) return this.#row(node, fields)
    if (ValueListNode.is(node)) return ValueListNode.create(node.values.map((value) => this.#tuples(value, fields)))
    return this.transformNode(node)
  }

  protected override transformAggregateFunction(node: AggregateFunctionNode): AggregateFunctionNode {
    const translated = super.transformAggregateFunction(node)
    const [argument] = node.aggregated
    if (argument !== undefined && PICKING.has(node.func))
      this.#values.requireOwnOrder(node.func, argument, this.fieldOf(argument, argument))
    return translated
  }

  protected override transformLimit(node: LimitNode): LimitNode {
    return { ...node, limit: this.#count(node.limit) }
  }

  protected override transformOffset(node: OffsetNode): OffsetNode {
    return { ...node, offset: this.#count(node.offset) }
  }

  // as text: a number is bound as a double, which MySQL does not take here
  #count(node: OperationNode): OperationNode {
    const isNumber = ValueNode.is(node) && node.immediate !== true && node.value !== null
    return isNumber ? ValueNode.create(String(node.value)) : this.transformNode(node)
  }
}

/** Stands where a part of a node is put in later. */
const NOTHING: OperationNode = RawNode.createWithSql('')

/** `node` with some of its parts replaced. */
function withParts<T extends OperationNode>(node: T, parts: { readonly [K in keyof T]?: T[K] | undefined }): T {
  return { ...node, ...parts }
}

function isFields(against: MaybeField | readonly MaybeField[]): against is readonly MaybeField[] {
  return Array.isArray(against)
}

function outputNamedBy(node: OperationNode, outputs: Columns | undefined): Column | undefined {
  if (!ReferenceNode.is(node) || node.table !== undefined || !ColumnNode.is(node.column)) return undefined
  return outputs?.find(node.column.column.name)
}

/** The columns of two queries one after the other: of a field where both hold values of one type. */
function combine(first: Columns | undefined, second: Columns | undefined): Columns | undefined {
  if (first === undefined || first.list.length !== second?.list.length) return undefined
  return new Columns(first.list.map((column, position) => ({ ...column, field: common(column.field, second.list[position]!.field) })))
}

function common(one: MaybeField, other: MaybeField): MaybeField {
  if (one && other) return isSameType(one, other) ? one : null
  return one === null && other === null ? null : undefined
}

/** The tables that raw SQL names by `sql.table`. */
function tablesIn(node: RawNode): readonly TableNode[] {
  return node.parameters.flatMap((each) => (TableNode.is(each) ? [each] : RawNode.is(each) ? tablesIn(each) : []))
}
