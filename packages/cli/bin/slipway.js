#!/usr/bin/env node
// Plain JavaScript, because it runs on whatever Node is there: hands over to a Node 24 where the running one is older, and
// in a checkout runs the sources as they are. Elsewhere it runs the one file that tools/bundle-cli.ts makes.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 24
const source = new URL('../src/main.ts', import.meta.url)
const built = new URL('../dist/slipway.mjs', import.meta.url)

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) await start()
else handOver()

async function start() {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'slipway')
  try {
    // A folder of one's own: what is in it is executed.
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    module.enableCompileCache(join(cache, 'compiled'))
  } catch {
    // Without a place for it, every start compiles anew; nothing else changes.
  }
  if (!existsSync(source)) return import(built.href)
  // The packages of a checkout are links; this condition makes them lead to sources, which Node runs by dropping the types.
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(
        specifier,
        specifier.startsWith('@slipway/')
          ? { ...context, conditions: ['source', ...context.conditions] }
          : context,
      ),
  })
  return import(source.href)
}

function handOver() {
  const node = findNode()
  if (!node) {
    console.error(
      `slipway: this needs Node ${NODE_MAJOR_MIN} or newer; ${process.version} is running. Install it, or run "npm ci" in the checkout.`,
    )
    process.exit(1)
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // The terminal sends Ctrl-C to both; the child decides what it means. Other signals are passed on.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`slipway: ${node} cannot be run: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}

/** The Node 24 that the checkout installs beside its packages. */
function findNode() {
  try {
    const require = createRequire(import.meta.url)
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`)
    const path = join(dirname(manifest), 'bin', 'node')
    return existsSync(path) ? path : undefined
  } catch {
    // Not installed for this platform; the caller says what to do.
    return undefined
  }
}
