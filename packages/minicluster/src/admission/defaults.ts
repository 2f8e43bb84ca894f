/*
 * What the API server fills in, by type: a container is completed the same way in a Pod, a Deployment's template or a Job's.
 * Each function gets an object whose own fields are complete already and returns it with what is missing.
 * Source: the answers of a real 1.35 server, of which a test keeps a table.
 */
import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, textOf } from '../schema/json.ts'
import type { Complete } from '../schema/normalize.ts'
import { completePod } from './pod-defaults.ts'
import { completeService } from './service-defaults.ts'

type Completion = (object: JsonObject) => JsonObject

const completions: { readonly [type: string]: Completion } = {
  'core/v1.Container': completeContainer,
  'core/v1.EphemeralContainer': completeContainer,
  'core/v1.ContainerPort': (port) => ({ protocol: 'TCP', ...port }),
  'core/v1.Probe': completeProbe,
  'core/v1.HTTPGetAction': (action) => ({ path: '/', scheme: 'HTTP', ...action }),
  'core/v1.GRPCAction': (action) => ({ service: '', ...action }),
  'core/v1.ObjectFieldSelector': (selector) => ({ apiVersion: 'v1', ...selector }),
  'core/v1.Volume': (volume) => (Object.keys(volume).length > 1 ? volume : { ...volume, emptyDir: {} }),
  'core/v1.SecretVolumeSource': withDefaultMode,
  'core/v1.ConfigMapVolumeSource': withDefaultMode,
  'core/v1.DownwardAPIVolumeSource': withDefaultMode,
  'core/v1.ProjectedVolumeSource': withDefaultMode,
  'core/v1.HostPathVolumeSource': (source) => ({ type: '', ...source }),
  'core/v1.ServiceAccountTokenProjection': (token) => ({ expirationSeconds: 3600, ...token }),
  'core/v1.PodSpec': completePodSpec,
  'core/v1.Pod': completePod,
  'core/v1.Service': completeService,
  'core/v1.Secret': completeSecret,
  'core/v1.Namespace': completeNamespace,
  'core/v1.NamespaceStatus': (status) => ({ phase: 'Active', ...status }),
  'core/v1.NodeStatus': completeNodeStatus,
  'apps/v1.DeploymentSpec': completeDeployment,
  'apps/v1.ReplicaSetSpec': (spec) => ({ replicas: 1, ...spec }),
  'batch/v1.Job': completeJob,
  'batch/v1.PodFailurePolicyOnPodConditionsPattern': (pattern) => ({
    ...pattern,
    status: textOf(pattern['status']) || 'True',
  }),
  'discovery/v1.EndpointPort': (port) => ({ name: '', protocol: 'TCP', ...port }),
}

/** Fills in the defaults of one structure. */
export const completeStructure: Complete = (type, object) => {
  const completion = Object.hasOwn(completions, type) ? completions[type] : undefined
  return completion ? completion(object) : object
}

function completeContainer(container: JsonObject): JsonObject {
  return {
    imagePullPolicy: pullPolicyOf(textOf(container['image'])),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...container,
  }
}

/** `Always` for the tag `latest`, also when it is meant by leaving out tag and digest. */
function pullPolicyOf(image: string): string {
  const [name = '', digest] = image.split('@')
  const tag = /:([^:/]+)$/.exec(name)?.[1]
  const isLatest = tag === 'latest' || (tag === undefined && digest === undefined && image !== '')
  return isLatest ? 'Always' : 'IfNotPresent'
}

function completeProbe(probe: JsonObject): JsonObject {
  return { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3, ...probe }
}

function withDefaultMode(source: JsonObject): JsonObject {
  return { defaultMode: 0o644, ...source }
}

function completePodSpec(spec: JsonObject): JsonObject {
  // The old name of the field mirrors the new one.
  const account = textOf(spec['serviceAccountName']) || textOf(spec['serviceAccount'])
  return {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...spec,
    ...(account === '' ? {} : { serviceAccountName: account, serviceAccount: account }),
  }
}

function completeDeployment(spec: JsonObject): JsonObject {
  return {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    ...spec,
    strategy: completeStrategy(objectOf(spec['strategy'])),
  }
}

function completeStrategy(strategy: JsonObject): JsonObject {
  const type = textOf(strategy['type']) || 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%', ...objectOf(strategy['rollingUpdate']) }
  return { ...strategy, type, rollingUpdate }
}

const BACKOFF_LIMIT_NONE = 2 ** 31 - 1

function completeJob(job: JsonObject): JsonObject {
  const metadata = objectOf(job['metadata'])
  const spec = selectOwnPods(objectOf(job['spec']), metadata)
  const templateLabels = objectOf(objectOf(spec['template'])['metadata'])['labels']
  const hasLabels = Object.keys(objectOf(metadata['labels'])).length > 0
  return {
    ...job,
    metadata: hasLabels || templateLabels === undefined ? metadata : { ...metadata, labels: templateLabels },
    spec: {
      ...(spec['completions'] === undefined && spec['parallelism'] === undefined ? { completions: 1 } : {}),
      parallelism: 1,
      backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : BACKOFF_LIMIT_NONE,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
      manualSelector: false,
      ...spec,
    },
  }
}

/** A Job finds its pods by its own uid, which stands in the template's labels; unless it brings a selector of its own. */
function selectOwnPods(spec: JsonObject, metadata: JsonObject): JsonObject {
  const uid = textOf(metadata['uid'])
  const name = textOf(metadata['name'])
  if (uid === '' || spec['manualSelector'] === true || spec['selector'] !== undefined) return spec
  const template = objectOf(spec['template'])
  const templateMetadata = objectOf(template['metadata'])
  const labels = {
    ...objectOf(templateMetadata['labels']),
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  return {
    ...spec,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
    template: { ...template, metadata: { ...templateMetadata, labels } },
  }
}

/** `stringData` is only for writing: its values are kept under `data`. */
function completeSecret(secret: JsonObject): JsonObject {
  const { stringData, ...rest } = secret
  const written = Object.entries(objectOf(stringData)).map(([key, value]) => [
    key,
    Buffer.from(textOf(value), 'utf8').toString('base64'),
  ])
  const data = { ...objectOf(rest['data']), ...Object.fromEntries(written) }
  return { type: 'Opaque', ...rest, ...(Object.keys(data).length === 0 ? {} : { data }) }
}

function completeNamespace(namespace: JsonObject): JsonObject {
  const metadata = objectOf(namespace['metadata'])
  const spec = objectOf(namespace['spec'])
  const name = textOf(metadata['name'])
  const labels = {
    ...objectOf(metadata['labels']),
    ...(name === '' ? {} : { 'kubernetes.io/metadata.name': name }),
  }
  const isNew = metadata['deletionTimestamp'] === undefined && listOf(spec['finalizers']).length === 0
  return {
    ...namespace,
    metadata: Object.keys(labels).length === 0 ? metadata : { ...metadata, labels },
    spec: isNew ? { ...spec, finalizers: ['kubernetes'] } : spec,
  }
}

function completeNodeStatus(status: JsonObject): JsonObject {
  const { allocatable, capacity } = status
  return allocatable === undefined && capacity !== undefined ? { ...status, allocatable: capacity } : status
}
