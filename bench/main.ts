/*
 * `npm run bench` runs every bench, `npm run bench -- <name> [arguments]` one. Each runs in a process of its own and needs a
 * quiet machine; none of them asserts anything.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const benches: Readonly<Record<string, string>> = {
  'first-run': 'from npm start to the sample application answering, and the memory of an idle platform',
  release: 'a release and a rollback beside a plain scale-up of the same Deployment',
  cluster: 'the embedded cluster beside a real control plane, with 5,000 pods',
  kills: 'whether every release ends right when the whole product is killed at random moments, and how soon',
  console: 'the console in Chromium with 700 Applications, 6,000 Instances and 200,000 lines of a log',
  fleet:
    'the platform before 400 nodes, 700 Applications and 6,000 Instances: lists, memory, requests at rest, losses',
  'cli-start': 'how long the command line takes to start',
}

const [name, ...rest] = process.argv.slice(2)
if (name !== undefined && benches[name] === undefined) {
  console.error('usage: npm run bench [-- <name> [arguments]]')
  for (const [one, about] of Object.entries(benches)) console.error(`  ${one.padEnd(12)} ${about}`)
  process.exit(2)
}
for (const one of name === undefined ? Object.keys(benches) : [name]) {
  const script = fileURLToPath(new URL(`${one}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', script, ...rest], { stdio: 'inherit' })
  // Ctrl-C reaches the child as well; it cleans up, we wait.
  const forward = (): boolean => child.kill('SIGTERM')
  process.on('SIGINT', () => undefined).on('SIGTERM', forward)
  const [code] = (await once(child, 'exit')) as [number | null]
  process.off('SIGTERM', forward)
  if (code !== 0) process.exit(code ?? 1)
}
