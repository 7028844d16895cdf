#!/usr/bin/env node
import * as module from 'node:module'

// Node.js ≥ 22.8 keeps what it compiles with the system's temporary files, and goes without where it may not write there
if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') module.enableCompileCache()

// only now: what is loaded before it is not kept
void import('./command-line.js').then(({ runCommandLine }) => runCommandLine(process.argv.slice(2)))
