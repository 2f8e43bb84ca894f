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

export function pinModules(progress: Progress): void {
  const go = findGo()
  progress('pinning kube')
  pinKubernetes(go)
  for (const module of ['etcd', 'kwok'] as const) {
    progress(`pinning ${module}`)
    pinModule(go, module)
  }
  progress('pinning gateway-api')
  pinGatewayApi(go)
}

function pinKubernetes(go: string): void {
  const folder = moduleFolder('kube')
  const { upstream, version } = goModules.kube
  const { Dir: sources } = JSON.parse(
    runGo(go, ['mod', 'download', '-json', `${upstream}@v${version}`], folder),
  ) as {
    readonly Dir: string
  }
  writeFileSync(
    join(folder, 'go.mod'),
    kubernetesGoMod(readFileSync(join(sources, 'go.mod'), 'utf8'), version),
  )
  copyFileSync(join(sources, 'go.sum'), join(folder, 'go.sum'))
  // Files of the module cache are read-only, and the mode is copied with them.
  chmodSync(join(folder, 'go.sum'), 0o644)
  runGo(go, ['mod', 'tidy'], folder)
}

/** Our go.mod, made from upstream's. Pure. */
export function kubernetesGoMod(upstream: string, version: string): string {
  const staging = [...upstream.matchAll(/^\s+(k8s\.io\/\S+) => \.\/staging/gm)].map((match) => match[1])
  const commands = Object.values(programs).filter((program) => program.module === 'kube')
  const taken = upstream.replace(/^(\/\/.*\n)*\s*module .*\n+/, '').replace(/^replace \([^)]*\)\n/gm, '')
  return [
    `${HEADER('kube')}${taken.trimEnd()}\n`,
    `require k8s.io/kubernetes v${version}\n`,
    `tool (\n${commands.map((program) => `\t${program.package}\n`).join('')})\n`,
    `replace (\n${staging.map((name) => `\t${name} => ${name} v0.${version.replace(/^1\./, '')}\n`).join('')})\n`,
  ].join('\n')
}

function pinModule(go: string, module: 'etcd' | 'kwok'): void {
  const folder = moduleFolder(module)
  rmSync(join(folder, 'go.sum'), { force: true })
  writeFileSync(join(folder, 'go.mod'), `${HEADER(module)}go 1.25.0\n`)
  const { upstream, version } = goModules[module]
  if (module === 'kwok') runGo(go, ['get', '-tool', `${programs.kwok.package}@v${version}`], folder)
  else runGo(go, ['get', `${upstream}@v${version}`], folder)
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
