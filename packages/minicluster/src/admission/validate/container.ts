import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { validateEnvironment } from './environment.ts'
import { checkId, checkLabel, checkPortName, checkPortNumber } from './names.ts'
import { validateHandler, validateProbe } from './probe.ts'
import type { Report } from './report.ts'
import { validateResources } from './resources.ts'

/** What a container is checked against: the pod's volumes, and whether it shares the node's network. */
export type PodContext = {
  readonly volumes: ReadonlySet<string>
  readonly hostNetwork: boolean
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const ONLY_SIDECARS = 'may not be set for init containers without restartPolicy=Always'

export function validateContainers(
  spec: JsonObject,
  field: string,
  context: PodContext,
  report: Report,
): void {
  const containers = listOf(spec['containers']).map(objectOf)
  if (containers.length === 0) report.required(`${field}.containers`)
  const names = new Set<string>()
  for (const [index, container] of containers.entries()) {
    const at = `${field}.containers[${index}]`
    validateContainer(container, at, context, report)
    validateContainerProbes(container, at, report)
    claimName(names, container, at, report)
  }
  validateHostPorts(containers, `${field}.containers`, report)
  for (const [index, container] of listOf(spec['initContainers']).map(objectOf).entries()) {
    const at = `${field}.initContainers[${index}]`
    validateContainer(container, at, context, report)
    claimName(names, container, at, report)
    if (container['restartPolicy'] === 'Always') validateContainerProbes(container, at, report)
    else refuseSidecarParts(container, at, report)
  }
}

function claimName(names: Set<string>, container: JsonObject, field: string, report: Report): void {
  const name = textOf(container['name'])
  if (name !== '' && names.has(name)) report.duplicate(`${field}.name`, name)
  names.add(name)
}

function refuseSidecarParts(container: JsonObject, field: string, report: Report): void {
  for (const part of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[part] !== undefined) report.forbidden(`${field}.${part}`, ONLY_SIDECARS)
  }
}

function validateContainer(container: JsonObject, field: string, context: PodContext, report: Report): void {
  const name = textOf(container['name'])
  if (name === '') report.required(`${field}.name`)
  else report.each(`${field}.name`, name, checkLabel(name))
  const image = textOf(container['image'])
  if (image === '') report.required(`${field}.image`)
  else if (image !== image.trim()) {
    report.invalid(`${field}.image`, image, 'must not have leading or trailing whitespace')
  }
  report.oneOf(`${field}.terminationMessagePolicy`, container['terminationMessagePolicy'], [
    'File',
    'FallbackToLogsOnError',
  ])
  validatePorts(listOf(container['ports']).map(objectOf), `${field}.ports`, context, report)
  validateEnvironment(container, field, report)
  validateMounts(listOf(container['volumeMounts']).map(objectOf), `${field}.volumeMounts`, context, report)
  report.oneOf(`${field}.imagePullPolicy`, container['imagePullPolicy'], PULL_POLICIES)
  validateResources(objectOf(container['resources']), `${field}.resources`, report)
  validateResizePolicy(listOf(container['resizePolicy']).map(objectOf), `${field}.resizePolicy`, report)
  if (container['restartPolicy'] !== undefined) {
    report.oneOf(`${field}.restartPolicy`, container['restartPolicy'], RESTART_POLICIES)
  }
  validateSecurityContext(container['securityContext'], `${field}.securityContext`, report)
}

function validateContainerProbes(container: JsonObject, field: string, report: Report): void {
  const lifecycle = objectOf(container['lifecycle'])
  for (const hook of ['postStart', 'preStop']) {
    if (lifecycle[hook] !== undefined)
      validateHandler(objectOf(lifecycle[hook]), `${field}.lifecycle.${hook}`, report)
  }
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[kind] !== undefined)
      validateProbe(kind, objectOf(container[kind]), `${field}.${kind}`, report)
  }
}

function validatePorts(
  ports: readonly JsonObject[],
  field: string,
  context: PodContext,
  report: Report,
): void {
  const names = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const at = `${field}[${index}]`
    const name = textOf(port['name'])
    if (name !== '') {
      const problems = checkPortName(name)
      report.each(`${at}.name`, name, problems)
      if (problems.length === 0 && names.has(name)) report.duplicate(`${at}.name`, name)
      names.add(name)
    }
    const { containerPort, hostPort, protocol } = port
    if (containerPort === 0) report.required(`${at}.containerPort`)
    else report.each(`${at}.containerPort`, containerPort, checkPortNumber(containerPort))
    if (hostPort !== undefined) report.each(`${at}.hostPort`, hostPort, checkPortNumber(hostPort))
    if (context.hostNetwork && hostPort !== undefined && hostPort !== containerPort) {
      report.invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')
    }
    report.oneOf(`${at}.protocol`, protocol, PROTOCOLS)
  }
}

function validateHostPorts(containers: readonly JsonObject[], field: string, report: Report): void {
  const claimed = new Set<string>()
  for (const [index, container] of containers.entries()) {
    for (const [at, port] of listOf(container['ports']).map(objectOf).entries()) {
      if (port['hostPort'] === undefined) continue
      const claim = `${textOf(port['protocol'])}/${textOf(port['hostIP'])}/${JSON.stringify(port['hostPort'])}`
      if (claimed.has(claim)) report.duplicate(`${field}[${index}].ports[${at}].hostPort`, claim)
      claimed.add(claim)
    }
  }
}

function validateMounts(
  mounts: readonly JsonObject[],
  field: string,
  context: PodContext,
  report: Report,
): void {
  const paths = new Set<string>()
  for (const [index, mount] of mounts.entries()) {
    const at = `${field}[${index}]`
    const name = textOf(mount['name'])
    if (name === '') report.required(`${at}.name`)
    if (!context.volumes.has(name)) report.notFound(`${at}.name`, name)
    const path = textOf(mount['mountPath'])
    if (path === '') report.required(`${at}.mountPath`)
    else if (paths.has(path)) report.invalid(`${at}.mountPath`, path, 'must be unique')
    paths.add(path)
    const { subPath, subPathExpr } = mount
    if (subPath !== undefined && subPathExpr !== undefined) {
      report.invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive')
    }
    validateRelativePath(textOf(subPath), `${field}.subPath`, report)
    validateRelativePath(textOf(subPathExpr), `${field}.subPathExpr`, report)
  }
}

export function validateRelativePath(path: string, field: string, report: Report): void {
  if (path.startsWith('/')) report.invalid(field, path, 'must be a relative path')
  if (path.split('/').includes('..')) report.invalid(field, path, "must not contain '..'")
}

function validateResizePolicy(policies: readonly JsonObject[], field: string, report: Report): void {
  for (const policy of policies) {
    report.oneOf(field, policy['resourceName'], ['cpu', 'memory'])
    report.oneOf(field, policy['restartPolicy'], ['NotRequired', 'RestartContainer'])
  }
}

function validateSecurityContext(value: unknown, field: string, report: Report): void {
  if (value === undefined) return
  const context = objectOf(value)
  for (const key of ['runAsUser', 'runAsGroup']) {
    if (context[key] !== undefined) report.each(`${field}.${key}`, context[key], checkId(context[key]))
  }
  validateSeccomp(context['seccompProfile'], `${field}.seccompProfile`, report)
  if (context['allowPrivilegeEscalation'] === false && context['privileged'] === true) {
    const why = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
    report.invalid(field, context, why)
  }
}

export function validateSeccomp(value: unknown, field: string, report: Report): void {
  if (value === undefined) return
  const { type, localhostProfile } = objectOf(value)
  report.oneOf(`${field}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined'])
  if (type === 'Localhost' && localhostProfile === undefined) {
    report.required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost')
  }
}
