import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the output of a run with `N passed, N failed, N skipped`, and fails a run in which nothing was tested.
 *
 * A file or suite that breaks outside its tests counts as failed, as does an error that no test caught. A test that passed only
 * when it was tried again is named: it is a fault, of ours or of the test.
 */
export class CountsReporter implements Reporter {
  #passed = 0
  #failed = 0
  #skipped = 0
  #triedAgain: string[] = []

  onInit(): void {
    // other reporters, and the engines' teardown, may print after the last test
    process.once('exit', () => this.#printCounts())
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    // a watched run ends many times
    this.#passed = this.#skipped = 0
    this.#failed = unhandledErrors.length
    this.#triedAgain = []
    for (const module of modules) this.#countModule(module)
  }

  #countModule(module: TestModule): void {
    if (module.errors().length > 0) this.#failed += 1
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) this.#failed += 1
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (test.diagnostic()?.flaky === true) this.#triedAgain.push(`${module.relativeModuleId} > ${test.fullName}`)
      if (state === 'passed') this.#passed += 1
      else if (state === 'skipped') this.#skipped += 1
      // a test that is still pending was cut off
      else this.#failed += 1
    }
  }

  #printCounts(): void {
    if (this.#passed + this.#failed === 0) process.exitCode = 1
    for (const name of this.#triedAgain) process.stdout.write(`passed only when it was tried again: ${name}\n`)
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped\n`)
  }
}
