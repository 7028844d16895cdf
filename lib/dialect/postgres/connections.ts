// what works on connections, in one module: loaded with the first of them
export { evicts, toDataError } from './errors.js'
export { openPool } from './pool.js'
export { wordsOf } from './server-error.js'
