/*
 * Holds the terminal of a container that asks for one: the application runs on it, what it shows goes to our output, what comes as
 * our input is typed. A process of its own, because a terminal is gone with the process that holds it, and an Instance must outlive
 * the node agent. Plain JavaScript, because it is copied to where the account of the Instance may read it.
 */
import { writeSync } from 'node:fs'

import { spawn } from '@lydell/node-pty'

const [program = '', ...rest] = process.argv.slice(2)
// These are for the application; the agent sends them to it.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => undefined)

const terminal = spawn(program, rest, {
  name: 'xterm',
  cwd: process.cwd(),
  env: { ...process.env, TERM: 'xterm' },
  encoding: null,
})
terminal.onData((bytes) => {
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
})
terminal.onExit(({ exitCode, signal }) => process.exit(signal ? 128 + signal : exitCode))
process.stdin.on('data', (bytes) => terminal.write(bytes))
process.stdin.on('error', () => undefined)
