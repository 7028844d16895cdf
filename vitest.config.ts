import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { CountsReporter } from './spec/support/counts-reporter.js'

export default defineConfig({
  resolve: { alias: packagePaths() },
  test: {
    include: ['spec/**/*.spec.ts'],
    globalSetup: ['spec/support/start-engines.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    // a race of 1 in 20 passes a second try nearly always: only what is about elapsed time has one, see spec/support/timed.ts
    retry: 0,
    reporters: ['default', new CountsReporter()],
  },
})

/** Specs import the package by name: each path of the exports map leads to the source that it is built from. */
function packagePaths(): { find: RegExp; replacement: string }[] {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
    exports: Record<string, { default: string } | string>
  }
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return []
    const source = target.default.replace('/dist/', '/').replace(/\.js$/, '.ts')
    return { find: new RegExp(`^latchwork${path.slice(1)}$`), replacement: fileURLToPath(new URL(source, import.meta.url)) }
  })
}
