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

test('lines of upstream that count only in the main module are kept', () => {
  const upstream = `module github.com/traefik/traefik/v3

go 1.24.0

require github.com/a/b v1.0.0

replace (
	github.com/a/b => github.com/c/b v1.1.0
)

exclude github.com/d/e v3.0.83+incompatible
`
  const made = adoptedGoMod('traefik', upstream)
  expect(made).toMatch(/^module slipway\.local\/tools\/traefik\n\ngo 1\.24\.0\n/)
  expect(made).toContain('\tgithub.com/a/b => github.com/c/b v1.1.0\n')
  expect(made).toContain('exclude github.com/d/e v3.0.83+incompatible\n')
  expect(made).toContain('require github.com/traefik/traefik/v3 v3.5.4\n')
})
