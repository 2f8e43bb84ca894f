/*
 * What registration puts on a Cluster: an account with exactly the rights that the platform uses, and rules for what rights
 * alone cannot say. Reading is granted for the whole Cluster, but never Secrets. Everything else is granted by a role binding in
 * each namespace of this installation, which the account makes itself. That it can make bindings nowhere else, and label no
 * namespace of somebody else as ours, is held by admission policies, since RBAC knows no labels.
 */
import { apiVersionOf, type Objects, type ResourceName } from '@slipway/kube'
import { stringify } from 'yaml'

import { FACT_LABELS, POOL_LABEL, type OwnerMark } from './model.ts'

export const SYSTEM_NAMESPACE = 'slipway-system'
export const ACCOUNT = 'slipway'
export const ACCOUNT_USER = `system:serviceaccount:${SYSTEM_NAMESPACE}:${ACCOUNT}`
export const INSTALLATION_LABEL = 'slipway/installation'
export const OWNER_NAME = 'slipway-owner'
export const MANAGER = 'slipway-fleet'
const PLATFORM_ROLE = 'slipway-platform'
const WORKLOAD_ROLE = 'slipway-workloads'
const CREDENTIAL_ROLE = 'slipway-credentials'
const RBAC = 'rbac.authorization.k8s.io'
const GATEWAY = 'gateway.networking.k8s.io'
const MANAGED = { 'app.kubernetes.io/managed-by': 'slipway' }

type Rule = NonNullable<Objects['clusterroles']['rules']>[number]
const rule = (apiGroup: string, resources: string[], verbs: string[], more: Partial<Rule> = {}): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
  ...more,
})

/** For the whole Cluster. */
const platformRules: readonly Rule[] = [
  { nonResourceURLs: ['/readyz', '/version', '/api', '/apis'], verbs: ['get'] },
  rule('', ['nodes'], ['list', 'patch']),
  rule('', ['pods', 'services'], ['list', 'watch']),
  rule('apps', ['deployments'], ['list', 'watch']),
  rule('batch', ['jobs'], ['list']),
  rule(GATEWAY, ['gateways', 'httproutes'], ['list', 'watch']),
  rule(GATEWAY, ['gatewayclasses'], ['list']),
  // What everything on a node takes of it.
  rule('metrics.k8s.io', ['pods'], ['list']),
  rule('metrics.k8s.io', ['nodes'], ['get']),
  rule('', ['namespaces'], ['get', 'create', 'patch']),
  rule(RBAC, ['rolebindings'], ['create', 'patch']),
  rule(RBAC, ['clusterroles'], ['bind'], { resourceNames: [WORKLOAD_ROLE] }),
  rule('authorization.k8s.io', ['selfsubjectaccessreviews'], ['create']),
  rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
]

/** In the namespaces of this installation. */
const workloadRules: readonly Rule[] = [
  rule('', ['secrets'], ['list', 'watch', 'create', 'patch', 'delete']),
  rule('', ['services'], ['list', 'create', 'patch', 'delete']),
  rule('', ['pods'], ['get', 'list', 'delete']),
  rule('', ['pods/log'], ['get']),
  rule('', ['pods/eviction'], ['create']),
  // A WebSocket begins as a GET; newer servers ask for the right to create as well.
  rule('', ['pods/exec'], ['get', 'create']),
  rule('', ['events'], ['list']),
  rule('apps', ['deployments'], ['list', 'create', 'patch', 'delete']),
  rule('batch', ['jobs'], ['get', 'list', 'create', 'delete']),
  rule(GATEWAY, ['gateways', 'httproutes'], ['list', 'create', 'patch', 'delete']),
  rule('metrics.k8s.io', ['pods'], ['get', 'list']),
]

/** In the namespace of the account itself: to renew its token, to see whose the Cluster is, and to let go of it. */
const credentialRules: readonly Rule[] = [
  rule('', ['serviceaccounts/token'], ['create'], { resourceNames: [ACCOUNT] }),
  rule('', ['secrets'], ['create']),
  rule('', ['secrets'], ['delete'], { resourceNames: [credentialName(1), credentialName(2)] }),
  rule('', ['configmaps'], ['get', 'delete'], { resourceNames: [OWNER_NAME] }),
]

/** Secret to which a token is bound: with it the token ends. There are two, so that a new token comes before the old one goes. */
export function credentialName(slot: 1 | 2): string {
  return `slipway-credential-${slot}`
}

export function credentialSecret(slot: 1 | 2): Objects['secrets'] {
  return {
    metadata: { name: credentialName(slot), namespace: SYSTEM_NAMESPACE, labels: MANAGED },
    type: 'Opaque',
  }
}

const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: SYSTEM_NAMESPACE }]
const clusterRoleRef = (name: string) => ({ apiGroup: RBAC, kind: 'ClusterRole', name })

/** What lets the account work in a namespace of this installation. */
export function namespaceGrant(namespace: string, installationId: string): Objects['rolebindings'] {
  return {
    metadata: {
      name: WORKLOAD_ROLE,
      namespace,
      labels: { ...MANAGED, [INSTALLATION_LABEL]: installationId },
    },
    roleRef: clusterRoleRef(WORKLOAD_ROLE),
    subjects,
  }
}

export type Manifest = {
  readonly [R in ResourceName]: { readonly resource: R; readonly object: Objects[R] }
}[ResourceName]

/** The namespace of the account, and the mark by which a second platform sees whose the Cluster is. */
export function systemNamespace(): Objects['namespaces'] {
  return { metadata: { name: SYSTEM_NAMESPACE, labels: MANAGED } }
}

export function ownerMark(mark: OwnerMark): Objects['configmaps'] {
  return {
    metadata: { name: OWNER_NAME, namespace: SYSTEM_NAMESPACE, labels: MANAGED },
    data: {
      installation: mark.installationId,
      address: mark.address,
      ...(mark.clusterId && { cluster: mark.clusterId }),
    },
  }
}

export function ownerOf({ data }: Objects['configmaps']): OwnerMark {
  const text = (field: string): string => (data?.[field] ?? '').slice(0, 300)
  return {
    installationId: text('installation'),
    address: text('address'),
    clusterId: text('cluster') || undefined,
  }
}

/** The account and its rights, in the order in which they are applied; what is for the whole Cluster comes first. */
export function accountManifests(installationId: string): Manifest[] {
  return [
    clusterRole(PLATFORM_ROLE, platformRules),
    clusterRole(WORKLOAD_ROLE, workloadRules),
    ...policies(installationId),
    {
      resource: 'clusterrolebindings',
      object: {
        metadata: { name: PLATFORM_ROLE, labels: MANAGED },
        roleRef: clusterRoleRef(PLATFORM_ROLE),
        subjects,
      },
    },
    {
      resource: 'serviceaccounts',
      object: {
        metadata: { name: ACCOUNT, namespace: SYSTEM_NAMESPACE, labels: MANAGED },
        automountServiceAccountToken: false,
      },
    },
    {
      resource: 'roles',
      object: {
        metadata: { name: CREDENTIAL_ROLE, namespace: SYSTEM_NAMESPACE, labels: MANAGED },
        rules: [...credentialRules],
      },
    },
    {
      resource: 'rolebindings',
      object: {
        metadata: { name: CREDENTIAL_ROLE, namespace: SYSTEM_NAMESPACE, labels: MANAGED },
        roleRef: { apiGroup: RBAC, kind: 'Role', name: CREDENTIAL_ROLE },
        subjects,
      },
    },
  ]
}

function clusterRole(name: string, rules: readonly Rule[]): Manifest {
  return { resource: 'clusterroles', object: { metadata: { name, labels: MANAGED }, rules: [...rules] } }
}

/** CEL: the object carries the label of this installation. */
function isOurs(object: string, installationId: string): string {
  const label = `'${INSTALLATION_LABEL}'`
  return `${object} != null && has(${object}.metadata.labels) && ${label} in ${object}.metadata.labels && ${object}.metadata.labels[${label}] == '${installationId}'`
}

/** CEL: the field is as it was, or absent as it was. */
function isUnchanged(field: string): string {
  const [now, before] = [`object.${field}`, `oldObject.${field}`]
  return `(has(${now}) == has(${before}) && (!has(${now}) || ${now} == ${before}))`
}

/** CEL: a map is as it was, beside these keys. */
function areOthersKept(field: string, ours: readonly string[]): string {
  const [now, before] = ['object', 'oldObject'].map(
    (root) => `(has(${root}.${field}) ? ${root}.${field} : {})`,
  )
  const isOurs = `k in [${ours.map((key) => `'${key}'`).join(', ')}]`
  return [
    `${now}.all(k, ${isOurs} || (k in ${before} && ${now}[k] == ${before}[k]))`,
    `${before}.all(k, ${isOurs} || k in ${now})`,
  ].join(' && ')
}

/** CEL: taints are as they were, beside the one that keeps a Pool for those who name it. */
function areOtherTaintsKept(): string {
  const [now, before] = ['object', 'oldObject'].map(
    (root) => `(has(${root}.spec.taints) ? ${root}.spec.taints : [])`,
  )
  return [
    `${now}.filter(t, t.key != '${POOL_LABEL}') == ${before}.filter(t, t.key != '${POOL_LABEL}')`,
    // Nobody is driven out by it.
    `${now}.all(t, t.key != '${POOL_LABEL}' || t.effect == 'NoSchedule')`,
  ].join(' && ')
}

const ENFORCE = `'pod-security.kubernetes.io/enforce'`

function policies(installationId: string): Manifest[] {
  return [
    ...policy({
      name: 'slipway-namespaces',
      rules: { apiGroups: [''], resources: ['namespaces', 'namespaces/*'], scope: '*' },
      validations: [
        {
          expression: isOurs('object', installationId),
          message: 'Slipway writes only namespaces of its own installation, and deletes none',
        },
        {
          expression: `oldObject == null || (${isOurs('oldObject', installationId)})`,
          message: 'this namespace does not belong to this installation of Slipway',
        },
        {
          expression: `object != null && ${ENFORCE} in object.metadata.labels && object.metadata.labels[${ENFORCE}] == 'restricted'`,
          message: 'namespaces of Slipway enforce Pod Security restricted',
        },
      ],
    }),
    ...policy({
      name: 'slipway-nodes',
      rules: { apiGroups: [''], resources: ['nodes', 'nodes/*'], scope: '*' },
      validations: [
        {
          expression: `request.operation == 'UPDATE' && (!has(request.subResource) || request.subResource == '')`,
          message: 'Slipway neither makes nor removes nodes',
        },
        {
          expression: [
            areOthersKept('metadata.labels', [POOL_LABEL, ...FACT_LABELS]),
            areOthersKept('metadata.annotations', [POOL_LABEL]),
            ...['metadata.finalizers', 'metadata.ownerReferences'].map(isUnchanged),
          ].join(' && '),
          message: 'Slipway does not change what a node is called or labelled with, beside its own labels',
        },
        {
          expression: [
            areOtherTaintsKept(),
            ...['spec.podCIDR', 'spec.podCIDRs', 'spec.providerID', 'spec.configSource'].map(isUnchanged),
          ].join(' && '),
          message: 'Slipway only says which pods a node takes',
        },
      ],
    }),
    ...policy({
      name: 'slipway-workloads',
      rules: { apiGroups: ['*'], resources: ['*/*'], scope: 'Namespaced' },
      validations: [
        {
          expression: `request.namespace == '${SYSTEM_NAMESPACE}' || (${isOurs('namespaceObject', installationId)})`,
          message: 'this namespace does not belong to this installation of Slipway',
        },
        {
          expression: [
            `request.resource.resource != 'rolebindings'`,
            [
              `object != null && object.roleRef.kind == 'ClusterRole' && object.roleRef.name == '${WORKLOAD_ROLE}'`,
              `request.namespace != '${SYSTEM_NAMESPACE}' && has(object.subjects) && object.subjects.size() == 1`,
              `object.subjects[0].kind == 'ServiceAccount' && object.subjects[0].name == '${ACCOUNT}'`,
              `object.subjects[0].namespace == '${SYSTEM_NAMESPACE}'`,
            ]
              .map((part) => `(${part})`)
              .join(' && '),
          ]
            .map((part) => `(${part})`)
            .join(' || '),
          message: `Slipway binds only the role ${WORKLOAD_ROLE}, only to itself`,
        },
      ],
    }),
  ]
}

function policy(about: {
  readonly name: string
  readonly rules: { readonly apiGroups: string[]; readonly resources: string[]; readonly scope: string }
  readonly validations: { readonly expression: string; readonly message: string }[]
}): Manifest[] {
  const metadata = { name: about.name, labels: MANAGED }
  return [
    {
      resource: 'validatingadmissionpolicies',
      object: {
        metadata,
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: { resourceRules: [{ ...about.rules, apiVersions: ['*'], operations: ['*'] }] },
          matchConditions: [
            { name: 'slipway', expression: `request.userInfo.username == '${ACCOUNT_USER}'` },
          ],
          validations: about.validations.map((one) => ({ ...one, reason: 'Forbidden' })),
        },
      },
    },
    {
      resource: 'validatingadmissionpolicybindings',
      object: { metadata, spec: { policyName: about.name, validationActions: ['Deny'] } },
    },
  ]
}

const kinds: Readonly<Partial<Record<ResourceName, string>>> = {
  namespaces: 'Namespace',
  configmaps: 'ConfigMap',
  clusterroles: 'ClusterRole',
  clusterrolebindings: 'ClusterRoleBinding',
  serviceaccounts: 'ServiceAccount',
  roles: 'Role',
  rolebindings: 'RoleBinding',
  validatingadmissionpolicies: 'ValidatingAdmissionPolicy',
  validatingadmissionpolicybindings: 'ValidatingAdmissionPolicyBinding',
}

/** Everything that registration applies, to be read, or applied by hand. */
export function manifestYaml(mark: OwnerMark): string {
  const all: readonly Manifest[] = [
    { resource: 'namespaces', object: systemNamespace() },
    { resource: 'configmaps', object: ownerMark(mark) },
    ...accountManifests(mark.installationId),
  ]
  return all
    .map(({ resource, object }) => ({ apiVersion: apiVersionOf(resource), kind: kinds[resource], ...object }))
    .map((document) => stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n')
}
