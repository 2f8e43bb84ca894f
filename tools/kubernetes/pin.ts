/*
 * Writes go.mod and go.sum of every module. Run after changing a version in `parts.ts`, then commit the result.
 *
 * Kubernetes cannot be built as a dependency as it is: its go.mod requires its own staging modules at v0.0.0 and replaces them
 * by folders, which counts only in the main module. So our module takes over upstream's requirements and its godebug line, and
 * replaces every staging module by its published version.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { findGo, goEnvironment, moduleFolder, type Progress } from './build.ts'
import { goModules, type GoModuleName, programs } from './parts.ts'

const HEADER = (module: GoModuleName): string => `module slipway.local/tools/${module}\n\n`

/** @param wanted - the modules to pin; all when empty */
export function pinModules(wanted: readonly string[], progress: Progress): void {
  const go = findGo()
  const steps: Readonly<Record<GoModuleName, () => void>> = {
    kube: () => pinAsUpstream(go, 'kube'),
    traefik: () => pinAsUpstream(go, 'traefik'),
    etcd: () => pinModule(go, 'etcd'),
    kwok: () => pinModule(go, 'kwok'),
    containernetworking: () => pinModule(go, 'containernetworking'),
    coredns: () => pinModule(go, 'coredns'),
    helm: () => pinModule(go, 'helm'),
    minio: () => pinModule(go, 'minio'),
    pause: () => writeFileSync(join(moduleFolder('pause'), 'go.mod'), `${HEADER('pause')}go 1.25.0\n`),
    'gateway-api': () => pinGatewayApi(go),
  }
  const unknown = wanted.find((module) => !Object.hasOwn(steps, module))
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${Object.keys(steps).join(', ')}`)
  for (const [module, pin] of Object.entries(steps)) {
    if (wanted.length > 0 && !wanted.includes(module)) continue
    progress(`pinning ${module}`)
    pin()
  }
}

/** Takes over upstream's go.mod: some of its lines count only in the main module. */
function pinAsUpstream(go: string, module: 'kube' | 'traefik'): void {
  const folder = moduleFolder(module)
  const { upstream, version } = goModules[module]
  writeFileSync(join(folder, 'go.mod'), `${HEADER(module)}go 1.25.0\n`)
  const { Dir: sources } = JSON.parse(
    runGo(go, ['mod', 'download', '-json', `${upstream}@v${version}`], folder),
  ) as { readonly Dir: string }
  writeFileSync(join(folder, 'go.mod'), adoptedGoMod(module, readFileSync(join(sources, 'go.mod'), 'utf8')))
  copyFileSync(join(sources, 'go.sum'), join(folder, 'go.sum'))
  // Files of the module cache are read-only, and the mode is copied with them.
  chmodSync(join(folder, 'go.sum'), 0o644)
  runGo(go, ['mod', 'tidy'], folder)
}

/** Our go.mod, made from upstream's; its staging folders are replaced by their published versions. Pure. */
export function adoptedGoMod(module: 'kube' | 'traefik', upstreamText: string): string {
  const { upstream, version } = goModules[module]
  const published = upstreamText.replace(
    /=> \.\/staging\/src\/(\S+)/gu,
    (_, name: string) => `=> ${name} v0.${version.replace(/^1\./u, '')}`,
  )
  const replacements = published.match(/^replace \([^)]*\)\n/gmu) ?? []
  const taken = published.replace(/^(\/\/.*\n)*\s*module .*\n+/u, '').replace(/^replace \([^)]*\)\n/gmu, '')
  const commands = packagesOf(module).map((path) => `\t${path}\n`)
  return [
    `${HEADER(module)}${taken.trimEnd()}\n`,
    `require ${upstream} v${version}\n`,
    `tool (\n${commands.join('')})\n`,
    ...replacements,
  ].join('\n')
}

function packagesOf(module: GoModuleName): string[] {
  return Object.values(programs)
    .filter((program) => program.module === module)
    .map((program) => program.package)
}

function pinModule(
  go: string,
  module: 'etcd' | 'kwok' | 'containernetworking' | 'coredns' | 'helm' | 'minio',
): void {
  const folder = moduleFolder(module)
  rmSync(join(folder, 'go.sum'), { force: true })
  writeFileSync(join(folder, 'go.mod'), `${HEADER(module)}go 1.25.0\n`)
  const { upstream, version } = goModules[module]
  const packages = packagesOf(module)
  // A program of our own imports upstream's packages; the others are upstream's programs.
  if (packages.includes('.')) runGo(go, ['get', `${upstream}@v${version}`], folder)
  else runGo(go, ['get', '-tool', ...packages.map((path) => `${path}@v${version}`)], folder)
  runGo(go, ['mod', 'tidy'], folder)
}

function pinGatewayApi(go: string): void {
  const folder = moduleFolder('gateway-api')
  const { upstream, version } = goModules['gateway-api']
  rmSync(join(folder, 'go.sum'), { force: true })
  writeFileSync(
    join(folder, 'go.mod'),
    `${HEADER('gateway-api')}go 1.25.0\n\nrequire ${upstream} v${version}\n`,
  )
  // Only the module's files are wanted, none of its packages: `tidy` would drop the requirement.
  runGo(go, ['mod', 'download', upstream], folder)
}

function runGo(go: string, parameters: readonly string[], cwd: string): string {
  const env = { ...goEnvironment(), GOFLAGS: '-mod=mod -buildvcs=false' }
  return execFileSync(go, parameters, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
