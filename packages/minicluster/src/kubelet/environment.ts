/** The environment and the command line of a container: Kubernetes' rules first, then what a process on a host needs on top. */
import { parseQuantity } from '@slipway/kit'

import type { Registry } from '../model.ts'
import { SetupError, type Container, type Pod } from './model.ts'

/** What of an Image the runtime needs. */
export type ImageConfig = {
  readonly environment: readonly string[]
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly workingFolder: string
}

export type EnvironmentInput = {
  readonly pod: Pod
  readonly container: Container
  readonly image: ImageConfig
  readonly registry: Registry
  readonly podIp: string
  readonly port: number
  readonly marker: string
  readonly markerVariable: string
  readonly hostPath: string
  /** The Instance's folder that stands for /app. */
  readonly applicationFolder: string
  readonly temporaryFolder: string
  readonly allocatable: { readonly cpu: number; readonly memoryBytes: number; readonly storageBytes: number }
}

const NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
/** Paths of the base's own file system mean nothing here. */
const BASE_ONLY = new Set(['PATH', 'JAVA_HOME', 'NODE_PATH', 'PYTHONHOME', 'LD_LIBRARY_PATH', 'HOME'])

/**
 * The whole environment of a container's processes.
 * @throws {SetupError} `CreateContainerConfigError` naming what is missing
 */
export function buildEnvironment(input: EnvironmentInput): Readonly<Record<string, string>> {
  const fromImage: Record<string, string> = {}
  for (const entry of input.image.environment) {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, equals)
    const value = entry.slice(equals + 1)
    if (equals > 0 && (!BASE_ONLY.has(name) || isBelowApplication(value))) fromImage[name] = value
  }
  const declared = declaredEnvironment(input)
  const rewritten = Object.fromEntries(
    Object.entries({ ...fromImage, ...declared }).map(([name, value]) => [
      name,
      rewriteVariable(value, input.applicationFolder),
    ]),
  )
  return {
    HOME: input.applicationFolder,
    USER: 'app',
    LOGNAME: 'app',
    LANG: 'C.UTF-8',
    TMPDIR: input.temporaryFolder,
    HOSTNAME: input.pod.metadata.name,
    ...rewritten,
    PATH: pathOf(rewritten['PATH'], input.hostPath),
    PORT: String(input.port),
    HOST: input.podIp,
    POD_IP: input.podIp,
    [input.markerVariable]: input.marker,
  }
}

/** The host's programs stay reachable; folders of the application may come first. */
function pathOf(own: string | undefined, hostPath: string): string {
  const extra = (own ?? '')
    .split(':')
    .filter((folder) => folder !== '' && !hostPath.split(':').includes(folder))
  return [...extra, hostPath].join(':')
}

function declaredEnvironment(input: EnvironmentInput): Readonly<Record<string, string>> {
  const { container } = input
  const values: Record<string, string> = { PORT: String(input.port), HOST: input.podIp, POD_IP: input.podIp }
  for (const source of container.envFrom ?? []) Object.assign(values, valuesFrom(input, source))
  for (const variable of container.env ?? []) {
    // These three are ours: an application that read another value would listen where nobody looks.
    if (['PORT', 'HOST', 'POD_IP'].includes(variable.name)) continue
    const value =
      variable.valueFrom === undefined
        ? expandReferences(variable.value ?? '', values)
        : referencedValue(input, variable.valueFrom)
    if (value !== undefined) values[variable.name] = value
  }
  return values
}

type EnvFrom = NonNullable<Container['envFrom']>[number]
type ValueFrom = NonNullable<NonNullable<Container['env']>[number]['valueFrom']>

function valuesFrom(input: EnvironmentInput, source: EnvFrom): Readonly<Record<string, string>> {
  const reference = source.configMapRef ?? source.secretRef
  if (!reference) return {}
  const data = source.configMapRef
    ? configMapData(input, reference.name ?? '')
    : secretData(input, reference.name ?? '')
  if (!data && reference.optional !== true)
    throw missing(source.configMapRef ? 'configmap' : 'secret', reference.name)
  const entries = Object.entries(data ?? {}).map(
    ([key, value]) => [`${source.prefix ?? ''}${key}`, value] as const,
  )
  return Object.fromEntries(entries.filter(([name]) => NAME.test(name)))
}

function referencedValue(input: EnvironmentInput, from: ValueFrom): string | undefined {
  if (from.fieldRef) return fieldValue(input.pod, from.fieldRef.fieldPath, input.podIp)
  if (from.resourceFieldRef) return resourceValue(input.container, from.resourceFieldRef, input.allocatable)
  const key = from.configMapKeyRef ?? from.secretKeyRef
  if (!key) return undefined
  const kind = from.configMapKeyRef ? 'configmap' : 'secret'
  const data = from.configMapKeyRef ? configMapData(input, key.name ?? '') : secretData(input, key.name ?? '')
  if (data === undefined && key.optional !== true) throw missing(kind, key.name)
  const value = data?.[key.key]
  if (value === undefined && key.optional !== true) {
    const label = kind === 'secret' ? 'Secret' : 'ConfigMap'
    throw configError(`couldn't find key ${key.key} in ${label} ${input.pod.metadata.namespace}/${key.name}`)
  }
  return value
}

function configMapData(input: EnvironmentInput, name: string): Readonly<Record<string, string>> | undefined {
  const found = input.registry.get('configmaps', input.pod.metadata.namespace, name)
  return found && (found.data ?? {})
}

function secretData(input: EnvironmentInput, name: string): Readonly<Record<string, string>> | undefined {
  const found = input.registry.get('secrets', input.pod.metadata.namespace, name)
  if (!found) return undefined
  const entries = Object.entries(found.data ?? {})
  return Object.fromEntries(
    entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}

function missing(kind: string, name: string | undefined): SetupError {
  return configError(`${kind} "${name ?? ''}" not found`)
}

function configError(message: string): SetupError {
  return new SetupError('CreateContainerConfigError', message)
}

/** A field of the pod by the downward API's path; labels and annotations also as a whole. */
export function fieldValue(pod: Pod, fieldPath: string, podIp: string): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(fieldPath)
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '' // one of the two by the pattern
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return mapText(pod.metadata.labels)
    case 'metadata.annotations':
      return mapText(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? 'default'
    case 'status.hostIP':
    case 'status.hostIPs':
      return '127.0.0.1'
    case 'status.podIP':
    case 'status.podIPs':
      return podIp
    default:
      throw configError(`unsupported fieldPath: ${fieldPath}`)
  }
}

function mapText(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}

/** A limit or request in units of its divisor, rounded up; without a limit the node's allocatable amount. */
export function resourceValue(
  container: Container,
  reference: { readonly resource: string; readonly divisor?: string },
  allocatable: EnvironmentInput['allocatable'],
): string {
  const [side, resource = ''] = reference.resource.split(/\.(.*)/s)
  const set = side === 'limits' ? container.resources?.limits : container.resources?.requests
  const node: Readonly<Record<string, number>> = {
    cpu: allocatable.cpu,
    memory: allocatable.memoryBytes,
    'ephemeral-storage': allocatable.storageBytes,
  }
  const quantity = set?.[resource]
  const amount =
    quantity === undefined ? (side === 'limits' ? (node[resource] ?? 0) : 0) : parseQuantity(quantity)
  const divisor = parseQuantity(reference.divisor ?? '1') || 1
  return String(Math.ceil(amount / divisor - 1e-9))
}

/** `$(NAME)` by known values; `$$(NAME)` is the text `$(NAME)`; what is not known stays as it is. */
export function expandReferences(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole: string, name: string | undefined) => {
    if (whole === '$$') return '$'
    return (name === undefined ? undefined : values[name]) ?? whole
  })
}

function isBelowApplication(value: string): boolean {
  return value === '/app' || value.startsWith('/app/')
}

/** Paths in a variable: at its start, or in a list or assignment (`:`, `=`, `,`). */
export function rewriteVariable(value: string, folder: string): string {
  return value.replace(/(^|[:=,])\/app(?=\/|[:,]|$)/g, (_, before: string) => `${before}${folder}`)
}

/** Paths in an argument, which may be a line for a shell. */
export function rewriteArgument(value: string, folder: string): string {
  return value.replace(
    /(^|[:=,\s"'`;&|<>(){}@])\/app(?=$|[/:,\s"'`;&|<>(){}])/g,
    (_, before: string) => `${before}${folder}`,
  )
}

/**
 * The command line: command and args of the pod, else the Image's, with references expanded and /app rewritten.
 * @throws {SetupError} when there is none
 */
export function buildArgv(
  container: Container,
  image: ImageConfig,
  environment: Readonly<Record<string, string>>,
  applicationFolder: string,
): readonly string[] {
  const own = container.command ?? []
  // A command replaces entry point and arguments of the Image; args alone replace only its arguments.
  const command = own.length > 0 ? own : image.entrypoint
  const rest = container.args?.length ? container.args : own.length > 0 ? [] : image.command
  const argv = [...command, ...rest].map((part) =>
    rewriteArgument(expandReferences(part, environment), applicationFolder),
  )
  if (argv.length === 0) throw new SetupError('CreateContainerError', 'no command specified')
  return argv
}
