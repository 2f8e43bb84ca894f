import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import { accountNamespace, isAdmin, isAllowed, type User } from './access.ts'

/** What a caller may ask about itself: who it is, whether it may do one thing, all it may do. */
export function answerReview(kind: string, body: JsonObject, user: User): JsonObject | undefined {
  const spec = objectOf(body['spec'])
  switch (kind) {
    case 'selfsubjectreviews':
      return review(
        'authentication.k8s.io/v1',
        'SelfSubjectReview',
        {},
        {
          userInfo: {
            username: user.name,
            ...(user.uid === undefined ? {} : { uid: user.uid }),
            groups: user.groups,
            ...(user.extra === undefined ? {} : { extra: user.extra }),
          },
        },
      )
    case 'selfsubjectaccessreviews':
      return review('authorization.k8s.io/v1', 'SelfSubjectAccessReview', spec, accessStatus(spec, user))
    case 'selfsubjectrulesreviews':
      return review('authorization.k8s.io/v1', 'SelfSubjectRulesReview', spec, rulesStatus(spec, user))
    default:
      return undefined
  }
}

function review(apiVersion: string, kind: string, spec: JsonObject, status: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { creationTimestamp: null }, spec, status }
}

function accessStatus(spec: JsonObject, user: User): JsonObject {
  const asked = objectOf(spec['resourceAttributes'])
  // Everyone who is known may read the pages that are no resources.
  const allowed =
    spec['resourceAttributes'] === undefined
      ? isAdmin(user) || objectOf(spec['nonResourceAttributes'])['verb'] === 'get'
      : isAllowed(user, {
          verb: textOf(asked['verb']),
          group: textOf(asked['group']),
          resource: textOf(asked['resource']),
          subresource: textOf(asked['subresource']),
          namespace: textOf(asked['namespace']),
          name: textOf(asked['name']),
        })
  return allowed
    ? { allowed, reason: 'the embedded cluster has no roles yet' }
    : {
        allowed,
        reason:
          accountNamespace(user) === undefined
            ? 'the embedded cluster has no roles yet, so nobody but its administrator may do anything'
            : 'a ServiceAccount may only read its own namespace, without Secrets',
      }
}

const READABLE =
  'pods pods/log services configmaps serviceaccounts events resourcequotas deployments replicasets jobs leases endpointslices gateways httproutes'.split(
    ' ',
  )

function rulesStatus(spec: JsonObject, user: User): JsonObject {
  if (isAdmin(user))
    return {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    }
  const own = accountNamespace(user)
  const self = {
    verbs: ['create'],
    apiGroups: ['authentication.k8s.io', 'authorization.k8s.io'],
    resources: ['selfsubjectreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  }
  const reading = {
    verbs: ['get', 'list', 'watch'],
    apiGroups: [
      '',
      'apps',
      'batch',
      'coordination.k8s.io',
      'discovery.k8s.io',
      'events.k8s.io',
      'gateway.networking.k8s.io',
    ],
    resources: READABLE,
  }
  return {
    resourceRules: own !== undefined && spec['namespace'] === own ? [self, reading] : [self],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['*'] }],
    incomplete: false,
  }
}
