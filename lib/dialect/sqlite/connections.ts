// what works on connections, in one module: loaded with the first of them
export { loadDriver } from './driver.js'
export { evicts, toDataError, wordsOf } from './errors.js'
export { openFilePool, openMemoryPool } from './pool.js'
