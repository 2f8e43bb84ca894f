/* What the account that registration made must not be able to do, asked of the API server itself. */
import { type Kube, KubeError, type Question } from '@slipway/kube'

const FOREIGN = 'foreign'
const pod = (namespace: string, name: string) => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: 'main', image: 'scratch:1' }] },
})

/** Somebody else's namespace, with something in it that must stay theirs. */
export async function settleForeigner(admin: Kube): Promise<void> {
  await admin.create('namespaces', { metadata: { name: FOREIGN } })
  await admin.create('secrets', {
    metadata: { name: 'password', namespace: FOREIGN },
    stringData: { password: 'theirs' },
  })
  await admin.create('serviceaccounts', { metadata: { name: 'default', namespace: FOREIGN } }).catch(
    // The controller may have been faster.
    () => undefined,
  )
  await admin.create('pods', pod(FOREIGN, 'theirs'))
  await admin.create('services', {
    metadata: { name: 'theirs', namespace: FOREIGN },
    spec: { ports: [{ port: 80 }] },
  })
}

/** What releases, builds, logs, terminals and counts ask of a namespace of this installation. */
export function neededThings(namespace: string): readonly Question[] {
  const written = ['secrets', 'services', 'deployments', 'gateways', 'httproutes'] as const
  return [
    ...written.flatMap((resource) =>
      ['list', 'create', 'patch', 'delete'].map((verb) => ({ verb, resource, namespace })),
    ),
    ...['get', 'list', 'create', 'delete'].map((verb) => ({ verb, resource: 'jobs', namespace }) as const),
    ...['get', 'list', 'delete'].map((verb) => ({ verb, resource: 'pods', namespace }) as const),
    { verb: 'create', resource: 'pods', subresource: 'eviction', namespace },
    { verb: 'get', resource: 'pods', subresource: 'log', namespace },
    { verb: 'get', resource: 'pods', subresource: 'exec', namespace },
    { verb: 'create', resource: 'pods', subresource: 'exec', namespace },
    { verb: 'list', resource: 'events', namespace },
    { verb: 'list', resource: 'podmetrics', namespace },
    { verb: 'watch', resource: 'secrets', namespace },
  ]
}

/** @param own - a namespace of this installation */
export function forbiddenThings(
  own: string,
): readonly (readonly [name: string, attempt: (kube: Kube) => Promise<unknown>])[] {
  const theirs = { namespace: FOREIGN, name: 'theirs' }
  const label = {
    type: 'merge',
    body: { metadata: { labels: { 'slipway/installation': 'ins_other' } } },
  } as const
  const adminOf = (namespace: string, name: string, subject: string) => ({
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: subject },
    subjects: [{ kind: 'ServiceAccount', name: 'slipway', namespace: 'slipway-system' }],
  })
  return [
    ['list the Secrets of kube-system', (kube) => kube.list('secrets', { namespace: 'kube-system' })],
    ['list all Secrets of the Cluster', (kube) => kube.list('secrets')],
    [
      'read a Secret of a foreign namespace',
      (kube) => kube.get('secrets', { namespace: FOREIGN, name: 'password' }),
    ],
    [
      'read the Secret that its own token is bound to',
      (kube) => kube.get('secrets', { namespace: 'slipway-system', name: 'slipway-credential-1' }),
    ],
    ['list the ConfigMaps of kube-system', (kube) => kube.list('configmaps', { namespace: 'kube-system' })],
    ['run a command in a foreign pod', (kube) => kube.exec(theirs, { command: ['true'] })],
    ['read the log of a foreign pod', (kube) => kube.logs(theirs)],
    ['delete a foreign pod', (kube) => kube.remove('pods', theirs)],
    ['delete a foreign Service', (kube) => kube.remove('services', theirs)],
    ['start a Deployment in kube-system', (kube) => kube.create('deployments', deployment('kube-system'))],
    ['make a ClusterRole', (kube) => kube.create('clusterroles', { metadata: { name: 'more' }, rules: [] })],
    [
      'widen its own ClusterRole',
      (kube) =>
        kube.patch('clusterroles', { name: 'slipway-platform' }, { type: 'merge', body: { rules: [] } }),
    ],
    [
      'make itself administrator of the Cluster',
      (kube) =>
        kube.create('clusterrolebindings', {
          ...adminOf('', 'more', 'cluster-admin'),
          metadata: { name: 'more' },
        }),
    ],
    [
      'bind its role in kube-system',
      (kube) => kube.create('rolebindings', adminOf('kube-system', 'slipway-workloads', 'slipway-workloads')),
    ],
    [
      'bind its role in a foreign namespace',
      (kube) => kube.create('rolebindings', adminOf(FOREIGN, 'slipway-workloads', 'slipway-workloads')),
    ],
    [
      'bind a greater role in a namespace of its own',
      (kube) => kube.create('rolebindings', adminOf(own, 'more', 'admin')),
    ],
    [
      'bind its role to somebody else',
      (kube) =>
        kube.create('rolebindings', {
          ...adminOf(own, 'more', 'slipway-workloads'),
          subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: FOREIGN }],
        }),
    ],
    ['label a foreign namespace as its own', (kube) => kube.patch('namespaces', { name: FOREIGN }, label)],
    [
      'let privileged pods into a namespace of its own',
      (kube) =>
        kube.patch(
          'namespaces',
          { name: own },
          {
            type: 'merge',
            body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
          },
        ),
    ],
    ['give a namespace of its own away', (kube) => kube.patch('namespaces', { name: own }, label)],
    [
      'make a namespace that is not labelled',
      (kube) => kube.create('namespaces', { metadata: { name: 'unlabelled' } }),
    ],
    ['delete a namespace of its own', (kube) => kube.remove('namespaces', { name: own })],
    [
      'take a token of another account',
      (kube) => kube.requestToken({ namespace: FOREIGN, name: 'default' }, { lifeSeconds: 3_600 }),
    ],
    ['evict a foreign pod', (kube) => kube.evict(theirs)],
    [
      'label a node',
      (kube) =>
        kube.patch(
          'nodes',
          { name: 'kwok-0' },
          { type: 'merge', body: { metadata: { labels: { theirs: 'no' } } } },
        ),
    ],
    [
      'taint a node',
      (kube) =>
        kube.patch(
          'nodes',
          { name: 'kwok-0' },
          { type: 'merge', body: { spec: { taints: [{ key: 'more', effect: 'NoExecute' }] } } },
        ),
    ],
    [
      'mark a node as one that runs Images of the host',
      (kube) =>
        kube.patch(
          'nodes',
          { name: 'kwok-0' },
          { type: 'merge', body: { metadata: { labels: { 'slipway/runtime': 'process' } } } },
        ),
    ],
    [
      'drive the pods of others out of a node',
      (kube) =>
        kube.patch(
          'nodes',
          { name: 'kwok-0' },
          { type: 'merge', body: { spec: { taints: [{ key: 'slipway/pool', effect: 'NoExecute' }] } } },
        ),
    ],
    ['remove a node', (kube) => kube.remove('nodes', { name: 'kwok-0' })],
    [
      'say how a node is',
      (kube) =>
        kube.patch(
          'nodes',
          { name: 'kwok-0' },
          { type: 'merge', body: { status: {} } },
          { subresource: 'status' },
        ),
    ],
    [
      'read the pods as an administrator',
      (kube) => kube.list('pods', { impersonate: { user: 'admin', groups: ['system:masters'] } }),
    ],
    [
      'lift the policy that binds it',
      (kube) => kube.remove('validatingadmissionpolicies', { name: 'slipway-workloads' }),
    ],
    [
      'change whose the Cluster is',
      (kube) =>
        kube.patch(
          'configmaps',
          { namespace: 'slipway-system', name: 'slipway-owner' },
          { type: 'merge', body: { data: { installation: 'ins_other' } } },
        ),
    ],
  ]
}

function deployment(namespace: string) {
  const labels = { app: 'more' }
  return {
    metadata: { name: 'more', namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'scratch:1' }] } },
    },
  }
}

/** The code with which an attempt was refused; what was allowed says so. */
export async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'allowed'
  } catch (thrown) {
    if (thrown instanceof KubeError) return `${thrown.code} ${thrown.reason}`
    throw thrown
  }
}
