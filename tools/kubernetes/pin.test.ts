import { expect, test } from 'vitest'

import { adoptedGoMod } from './pin.ts'

test('our go.mod keeps the requirements, and replaces staging folders by published versions', () => {
  const upstream = `// Generated.
// Do not edit.

module k8s.io/kubernetes

go 1.25.0

godebug default=go1.25

require (
	github.com/a/b v1.0.0
	k8s.io/api v0.0.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
)
`
  const made = adoptedGoMod('kube', upstream)
  expect(made).toMatch(/^module slipway\.local\/tools\/kube\n\ngo 1\.25\.0\n\ngodebug default=go1\.25\n/)
  expect(made).toContain('github.com/a/b v1.0.0')
  expect(made).toContain('require k8s.io/kubernetes v1.35.4\n')
  expect(made).toContain('\tk8s.io/kubernetes/cmd/kube-apiserver\n')
  expect(made).toContain('\tk8s.io/client-go => k8s.io/client-go v0.35.4\n')
  expect(made).not.toContain('./staging')
})
