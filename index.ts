export * from './decorators/index.js'
export * from './lib/index.js'
