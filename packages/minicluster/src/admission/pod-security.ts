/*
 * The Pod Security Standard `restricted` in its latest version, which includes `baseline`. One phrase per control that is
 * broken, in the words and the order of the real admission plugin.
 * Source: "Pod Security Standards" in the Kubernetes documentation.
 */
import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, textOf } from '../schema/json.ts'

type Container = {
  readonly name: string
  readonly container: JsonObject
  readonly context: JsonObject
}
type Subject = {
  readonly spec: JsonObject
  readonly context: JsonObject
  readonly containers: readonly Container[]
}
type Control = (subject: Subject) => string | undefined

const VOLUME_TYPES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])
const SELINUX_TYPES = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
])
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

/** Those of `baseline` that `restricted` does not replace, then its own. */
const controls: readonly Control[] = [
  appArmor,
  hostNamespaces,
  hostPorts,
  probeHosts,
  privileged,
  selinux,
  sysctls,
  hostProcess,
  privilegeEscalation,
  capabilities,
  procMount,
  volumeTypes,
  nonRoot,
  rootUser,
  seccomp,
]

/**
 * How a pod breaks the level `restricted`, one phrase per control; empty when it does not. The refusal reads
 * `violates PodSecurity "restricted:latest": <phrases joined by ", ">`.
 */
export function podSecurityViolations(podSpec: JsonObject): string[] {
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    listOf(podSpec[list])
      .map(objectOf)
      .map((container) => ({
        name: textOf(container['name']),
        container,
        context: objectOf(container['securityContext']),
      })),
  )
  const subject = { spec: podSpec, context: objectOf(podSpec['securityContext']), containers }
  return controls.map((control) => control(subject)).filter((phrase) => phrase !== undefined)
}

function hostNamespaces({ spec }: Subject): string | undefined {
  const used = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name] === true)
  return used.length === 0 ? undefined : `host namespaces (${used.map((name) => `${name}=true`).join(', ')})`
}

function privileged({ containers }: Subject): string | undefined {
  const names = namesOf(containers, ({ context }) => context['privileged'] === true)
  return phrase('privileged', names, 'must not set securityContext.privileged=true')
}

function hostProcess({ context, containers }: Subject): string | undefined {
  const uses = (one: JsonObject): boolean => objectOf(one['windowsOptions'])['hostProcess'] === true
  const who = subjects(
    uses(context),
    namesOf(containers, ({ context: own }) => uses(own)),
  )
  return who && `hostProcess (${who} must not set securityContext.windowsOptions.hostProcess=true)`
}

function hostPorts({ containers }: Subject): string | undefined {
  const portsOf = ({ container }: Container): readonly string[] =>
    listOf(container['ports']).flatMap((port) => {
      const { hostPort } = objectOf(port)
      return typeof hostPort === 'number' && hostPort !== 0 ? [`${hostPort}`] : []
    })
  const names = namesOf(containers, (one) => portsOf(one).length > 0)
  if (names.length === 0) return undefined
  const ports = [...new Set(containers.flatMap(portsOf))]
  return `hostPort (${plural('container', names)} ${names.length === 1 ? 'uses' : 'use'} hostPort${ports.length === 1 ? '' : 's'} ${ports.join(', ')})`
}

function probeHosts({ containers }: Subject): string | undefined {
  const hostsOf = ({ container }: Container): readonly string[] => {
    const lifecycle = objectOf(container['lifecycle'])
    const handlers = [
      container['livenessProbe'],
      container['readinessProbe'],
      container['startupProbe'],
      lifecycle['postStart'],
      lifecycle['preStop'],
    ].map(objectOf)
    return handlers
      .flatMap((handler) => [handler['httpGet'], handler['tcpSocket']])
      .map((action) => textOf(objectOf(action)['host']))
      .filter((host) => host !== '')
  }
  const names = namesOf(containers, (one) => hostsOf(one).length > 0)
  if (names.length === 0) return undefined
  const hosts = [...new Set(containers.flatMap(hostsOf))].sort().map(quote)
  return `probe or lifecycle host (${plural('container', names)} ${names.length === 1 ? 'uses' : 'use'} probe or lifecycle host${hosts.length === 1 ? '' : 's'} ${hosts.join(', ')})`
}

function procMount({ containers }: Subject): string | undefined {
  const isUnusual = ({ context }: Container): boolean =>
    !['', 'Default'].includes(textOf(context['procMount']))
  const names = namesOf(containers, isUnusual)
  const values = valuesOf(containers.filter(isUnusual).map(({ context }) => context['procMount']))
  return phrase('procMount', names, `must not set securityContext.procMount to ${values}`)
}

function selinux({ context, containers }: Subject): string | undefined {
  const problemsOf = (one: JsonObject): readonly string[] => {
    const { type, user, role } = objectOf(one['seLinuxOptions'])
    return [
      ...(SELINUX_TYPES.has(textOf(type)) ? [] : [`type ${quote(textOf(type))}`]),
      ...(textOf(user) === '' ? [] : ['user may not be set']),
      ...(textOf(role) === '' ? [] : ['role may not be set']),
    ]
  }
  const who = subjects(
    problemsOf(context).length > 0,
    namesOf(containers, ({ context: own }) => problemsOf(own).length > 0),
  )
  if (who === undefined) return undefined
  const all = [context, ...containers.map((one) => one.context)].flatMap(problemsOf)
  const types = [...new Set(all.filter((one) => one.startsWith('type ')))].map((one) =>
    one.slice('type '.length),
  )
  const others = [...new Set(all.filter((one) => !one.startsWith('type ')))].sort().reverse()
  const typeText =
    types.length === 0 ? [] : [`type${types.length === 1 ? '' : 's'} ${types.sort().join(', ')}`]
  return `seLinuxOptions (${who} set forbidden securityContext.seLinuxOptions: ${[...typeText, ...others].join('; ')})`
}

function sysctls({ context }: Subject): string | undefined {
  const names = listOf(context['sysctls'])
    .map((one) => textOf(objectOf(one)['name']))
    .filter((name) => !SYSCTLS.has(name))
  return names.length === 0 ? undefined : `forbidden sysctls (${names.join(', ')})`
}

function appArmor({ context, containers }: Subject): string | undefined {
  const isUnconfined = (one: JsonObject): boolean => objectOf(one['appArmorProfile'])['type'] === 'Unconfined'
  const who = subjects(
    isUnconfined(context),
    namesOf(containers, ({ context: own }) => isUnconfined(own)),
  )
  return who && `forbidden AppArmor profile (${who} must not set AppArmor profile type to "Unconfined")`
}

function volumeTypes({ spec }: Subject): string | undefined {
  const bad = listOf(spec['volumes'])
    .map(objectOf)
    .flatMap((volume) =>
      Object.keys(volume)
        .filter((key) => key !== 'name' && !VOLUME_TYPES.has(key))
        .map((type) => ({ name: textOf(volume['name']), type })),
    )
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map(({ type }) => type))].sort().map(quote)
  const names = bad.map(({ name }) => name)
  return `restricted volume types (${plural('volume', names)} ${names.length === 1 ? 'uses' : 'use'} restricted volume type${types.length === 1 ? '' : 's'} ${types.join(', ')})`
}

function privilegeEscalation({ containers }: Subject): string | undefined {
  const names = namesOf(containers, ({ context }) => context['allowPrivilegeEscalation'] !== false)
  return phrase(
    'allowPrivilegeEscalation != false',
    names,
    'must set securityContext.allowPrivilegeEscalation=false',
  )
}

function capabilities({ containers }: Subject): string | undefined {
  const partOf = ({ context }: Container, part: string): readonly unknown[] =>
    listOf(objectOf(context['capabilities'])[part])
  const keepsAll = namesOf(containers, (one) => !partOf(one, 'drop').includes('ALL'))
  const addedBy = (one: Container): readonly unknown[] =>
    partOf(one, 'add').filter((name) => name !== 'NET_BIND_SERVICE')
  const adds = namesOf(containers, (one) => addedBy(one).length > 0)
  const texts = [
    ...(keepsAll.length === 0
      ? []
      : [`${plural('container', keepsAll)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adds.length === 0
      ? []
      : [
          `${plural('container', adds)} must not include ${valuesOf(containers.flatMap(addedBy))} in securityContext.capabilities.add`,
        ]),
  ]
  return texts.length === 0 ? undefined : `unrestricted capabilities (${texts.join('; ')})`
}

/** In a user namespace of its own, root of the pod is nobody on the node. */
function hasOwnUsers(spec: JsonObject): boolean {
  return spec['hostUsers'] === false
}

function nonRoot({ spec, context, containers }: Subject): string | undefined {
  if (hasOwnUsers(spec)) return undefined
  const refuses = namesOf(containers, ({ context: own }) => own['runAsNonRoot'] === false)
  const who = subjects(context['runAsNonRoot'] === false, refuses)
  if (who !== undefined)
    return `runAsNonRoot != true (${who} must not set securityContext.runAsNonRoot=false)`
  if (context['runAsNonRoot'] === true) return undefined
  const silent = namesOf(containers, ({ context: own }) => own['runAsNonRoot'] === undefined)
  return phrase('runAsNonRoot != true', silent, 'must set securityContext.runAsNonRoot=true', 'pod or ')
}

function rootUser({ spec, context, containers }: Subject): string | undefined {
  if (hasOwnUsers(spec)) return undefined
  const who = subjects(
    context['runAsUser'] === 0,
    namesOf(containers, ({ context: own }) => own['runAsUser'] === 0),
  )
  return who && `runAsUser=0 (${who} must not set runAsUser=0)`
}

function seccomp({ context, containers }: Subject): string | undefined {
  const typeOf = (one: JsonObject): string => textOf(objectOf(one['seccompProfile'])['type'])
  const isBad = (type: string): boolean => type !== '' && type !== 'RuntimeDefault' && type !== 'Localhost'
  const bad = namesOf(containers, ({ context: own }) => isBad(typeOf(own)))
  const who = subjects(isBad(typeOf(context)), bad)
  if (who !== undefined) {
    const types = [context, ...containers.map((one) => one.context)].map(typeOf).filter(isBad)
    return `seccompProfile (${who} must not set securityContext.seccompProfile.type to ${valuesOf(types)})`
  }
  if (typeOf(context) !== '') return undefined
  const silent = namesOf(containers, ({ context: own }) => typeOf(own) === '')
  const why = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  return phrase('seccompProfile', silent, why, 'pod or ')
}

function namesOf(containers: readonly Container[], isMeant: (one: Container) => boolean): readonly string[] {
  return containers.filter(isMeant).map(({ name }) => name)
}

function phrase(title: string, names: readonly string[], why: string, prefix = ''): string | undefined {
  return names.length === 0 ? undefined : `${title} (${prefix}${plural('container', names)} ${why})`
}

/** `pod and container "c"`, whichever of them are meant. */
function subjects(isPod: boolean, names: readonly string[]): string | undefined {
  const who = [...(isPod ? ['pod'] : []), ...(names.length === 0 ? [] : [plural('container', names)])]
  return who.length === 0 ? undefined : who.join(' and ')
}

function plural(noun: string, names: readonly string[]): string {
  return `${noun}${names.length === 1 ? '' : 's'} ${names.map(quote).join(', ')}`
}

function valuesOf(values: readonly unknown[]): string {
  return [...new Set(values.map(String))].sort().map(quote).join(', ')
}

function quote(text: string): string {
  return JSON.stringify(text)
}
