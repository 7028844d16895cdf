import type { ConnectionSource } from '../../../lib/dialect/connection-source.js'
import type { Connection, Dialect, RowCursor, StatementResult } from '../../../lib/dialect/dialect.js'
import { DeadlockError, type LatchworkError, PoolSelfDeadlockError } from '../../../lib/errors.js'
import type { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import { Transactions } from '../../../lib/query/transaction.js'
import { TransactionControl } from '../../../lib/query/transaction-control.js'
import { createPool, FakeConnector, FakeMember, request } from '../pool/fake-connector.js'
import { Call, Slots } from './oracle.js'
import type { Program, Step } from './program.js'
import { type Clock, ProgramRun } from './program-run.js'

/** A transaction, with the turn that its calls take. */
class TransactionCall extends Call {
  readonly turn = new Slots(1)

  constructor(
    id: number,
    parent: Call | undefined,
    /** Of two databases on the same pool, the one that it is of. */
    readonly owner: number,
  ) {
    super(id, parent, { kind: 'resource' })
  }
}

class FakeConnection extends FakeMember implements Connection {
  run(): StatementResult {
    return { rows: [], affectedRows: 0, columns: () => [] }
  }

  openCursor(): RowCursor {
    throw new Error('no program of these has cursors')
  }

  async cancel(): Promise<void> {}
}

function transactionsOn(pool: ConnectionPool<FakeMember>): Transactions {
  return new Transactions(new TransactionControl(DIALECT, (thrown) => thrown as LatchworkError, 5_000), sourceOf(pool))
}

/** Runs programs that use transactions too: real ones on a real pool, with a connector in place of an engine. */
export class TransactionRun extends ProgramRun {
  readonly #pool: ConnectionPool<FakeMember>
  readonly #slots: Slots
  readonly #transactions: readonly Transactions[]

  constructor(program: Program, clock: Clock) {
    super(program, clock)
    const { connections } = program
    this.#pool = createPool(new FakeConnector(FakeConnection), {
      maxConnections: connections,
      validateAfterIdleMs: Number.POSITIVE_INFINITY,
    })
    this.#slots = new Slots(connections)
    this.#transactions = [0, 1].map(() => transactionsOn(this.#pool))
  }

  protected override async step(step: Step, call: Call | undefined): Promise<void> {
    if (step.do === 'transaction') await this.caught(step.catches, this.#transaction(step, call))
    else if (step.do === 'statement') await this.#statement(step, call)
    else await super.step(step, call)
  }

  protected override async finish(): Promise<void> {
    const { leased, waiting } = this.#pool.stats()
    this.must(leased + waiting === 0, `${leased} connections are leased and ${waiting} waited for at the end`)
    const closing = this.#pool.close(0)
    await this.drained()
    await closing
  }

  async #transaction({ owner, body }: Step & { do: 'transaction' }, parent: Call | undefined): Promise<void> {
    const wanted = outerOf(parent, owner)?.turn ?? this.#slots
    const wait = this.wait(parent, wanted)
    let isServed = false
    const run = async () => {
      isServed = true
      wait.over()
      this.checkDeadlock(undefined, wait.isStuck)
      this.tally.served++
      const call = new TransactionCall(this.nextId(), parent, owner)
      wanted.callers.add(call)
      await this.body(body, call).finally(() => wanted.callers.delete(call))
    }
    await this.#expected(this.#transactions[owner]!.run(run), wait, () => isServed)
  }

  async #statement({ owner }: Step & { do: 'statement' }, parent: Call | undefined): Promise<void> {
    const outer = outerOf(parent, owner)
    const wait = this.wait(parent, outer?.turn ?? this.#slots)
    let isServed = false
    const work = async () => {
      isServed = true
      wait.over()
      this.checkDeadlock(undefined, wait.isStuck)
      await this.turn()
    }
    const running = outer === undefined ? this.#onAny(work) : this.#transactions[owner]!.current()!.run(work, 'statement')
    await this.#expected(Promise.resolve(running), wait, () => isServed)
  }

  async #onAny(work: () => Promise<void>): Promise<void> {
    const member = await this.#pool.acquire(request('statement'))
    await work().finally(() => this.#pool.release(member, 'clean'))
  }

  async #expected(running: Promise<unknown>, wait: ReturnType<ProgramRun['wait']>, isServed: () => boolean): Promise<void> {
    try {
      await running
    } catch (error) {
      wait.over()
      if (!isServed()) {
        this.checkDeadlock(error, wait.isStuck)
        this.must(error instanceof DeadlockError || error instanceof PoolSelfDeadlockError, `unexpected: ${String(error)}`)
      }
      throw error
    }
  }
}

/** The innermost transaction of an owner that a call is in. */
function outerOf(call: Call | undefined, owner: number): TransactionCall | undefined {
  return call?.chain.find((each): each is TransactionCall => each instanceof TransactionCall && each.owner === owner)
}

// what transactions ask of an engine and of a database object, and nothing else
const DIALECT = {
  begin: () => ['begin'],
  capabilities: { statementErrorKeepsTransaction: true, failedCommitKeepsTransaction: false },
} as unknown as Dialect

function sourceOf(pool: ConnectionPool<FakeMember>): ConnectionSource {
  return {
    acquire: ({ label }: { label: string }) => pool.acquire(request(label)),
    release: pool.release.bind(pool),
    slotsOf: () => pool.slotsOf(),
  } as unknown as ConnectionSource
}
