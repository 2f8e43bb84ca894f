import { KubeError } from '@slipway/kube'
import { expect, test } from 'vitest'

import { isRefusal, refusalIn, refusalOf } from './refusal.ts'

test.each([
  [
    'pods "web-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2',
    'refused_quota',
  ],
  [
    'pods "web-1" is forbidden: maximum memory usage per Container is 64Mi, but limit is 1Gi',
    'refused_quota',
  ],
  [
    'secrets "web" is forbidden: unable to create new content in namespace shop because it is being terminated',
    'refused_ending',
  ],
  [
    'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    'refused_pod_security',
  ],
  ['admission webhook "policy.example.com" denied the request: no owner', 'refused_webhook'],
  [
    'Internal error occurred: failed calling webhook "policy.example.com": Post "https://x": connection refused',
    'refused_webhook',
  ],
  [
    "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'owners' with binding 'owners' denied request: no owner",
    'refused_webhook',
  ],
  ['deployments.apps "web" is forbidden: User "x" cannot patch', 'refused_otherwise'],
])('%s', (message, code) => {
  const refusal = refusalOf(message)
  expect(refusal).toEqual({ code, params: { problem: message } })
  expect(isRefusal(refusal)).toBe(true)
})

test('a webhook that does not answer is a refusal, a server that has a bad day is none', () => {
  const failed = 'Internal error occurred: failed calling webhook "policy.example.com": timeout'
  expect(refusalIn(new KubeError(500, 'InternalError', failed))?.code).toBe('refused_webhook')
  expect(refusalIn(new KubeError(403, 'Forbidden', 'no'))?.code).toBe('refused_otherwise')
  expect(refusalIn(new KubeError(500, 'InternalError', 'etcdserver: leader changed'))).toBeUndefined()
  expect(refusalIn(new KubeError(0, 'Unreachable', 'connect ECONNREFUSED'))).toBeUndefined()
  expect(refusalIn(new Error('a fault of our own'))).toBeUndefined()
  expect(isRefusal({ code: 'probe_failing', params: {} })).toBe(false)
  expect(isRefusal(null)).toBe(false)
})
