import { AppError } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { parseKubeconfig } from './kubeconfig.ts'
import { testCertificate } from './test-certificate.ts'

const mine = testCertificate()
const other = testCertificate()
const base64 = (text: string): string => Buffer.from(text).toString('base64')

type Parts = {
  readonly cluster?: string
  readonly user?: string
  readonly context?: string
  readonly more?: string
}

function kubeconfig({
  cluster = '',
  user = '    token: secret',
  context = '',
  more = '',
}: Parts = {}): string {
  return `apiVersion: v1
kind: Config
current-context: main
clusters:
- name: one
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority-data: ${base64(mine.certificate)}
${cluster}
users:
- name: me
  user:
${user}
contexts:
- name: main
  context:
    cluster: one
    user: me
${context}
${more}
`
}

function refusalOf(text: string): { readonly code: string; readonly text: string } {
  try {
    parseKubeconfig(text)
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, text: JSON.stringify(error.params) }
    throw error
  }
  return { code: 'accepted', text: '' }
}

describe('what is accepted', () => {
  test('server, authority and token of the current context', () => {
    expect(parseKubeconfig(kubeconfig({ context: '    namespace: shop' }))).toEqual({
      context: 'main',
      namespace: 'shop',
      access: {
        server: 'https://10.0.0.1:6443',
        certificateAuthority: mine.certificate,
        credentials: { token: 'secret' },
      },
    })
  })

  test('a client certificate with its key, and another name in the server certificate', () => {
    const user = `    client-certificate-data: ${base64(mine.certificate)}\n    client-key-data: ${base64(mine.key)}`
    const { access } = parseKubeconfig(kubeconfig({ user, cluster: '    tls-server-name: kubernetes' }))
    expect(access.tlsServerName).toBe('kubernetes')
    expect(access.credentials.clientCertificate).toEqual({ certificate: mine.certificate, key: mine.key })
  })

  test('extensions, other users of the file and a false insecure-skip-tls-verify do no harm', () => {
    const cluster =
      '    insecure-skip-tls-verify: false\n    extensions: [{name: minikube, extension: {version: v1}}]'
    const more = 'preferences: {}'
    const text = kubeconfig({ cluster, more }).replace(
      '- name: me',
      '- name: aws\n  user: {exec: {command: aws}}\n- name: me',
    )
    expect(parseKubeconfig(text).context).toBe('main')
  })

  test('the only context when none is current', () => {
    expect(parseKubeconfig(kubeconfig().replace('current-context: main\n', '')).context).toBe('main')
  })
})

test.each([
  ['exec', { user: '    exec: {command: aws, args: [eks]}' }],
  ['auth-provider', { user: '    auth-provider: {name: gcp}' }],
  ['tokenFile', { user: '    tokenFile: /etc/shadow' }],
  ['client-key', { user: '    client-key: /etc/shadow' }],
  ['client-certificate', { user: '    client-certificate: /etc/shadow' }],
  ['username', { user: '    username: admin\n    password: x' }],
  ['as', { user: '    token: t\n    as: system:admin' }],
  ['certificate-authority', { cluster: '    certificate-authority: /etc/shadow' }],
  ['proxy-url', { cluster: '    proxy-url: http://10.0.0.1' }],
  ['insecure-skip-tls-verify', { cluster: '    insecure-skip-tls-verify: true' }],
  ['surprise', { cluster: '    surprise: 1' }],
  ['__proto__', { cluster: '    __proto__: {}' }],
] as const)('%s is refused by name', (field, parts) => {
  const refusal = refusalOf(kubeconfig(parts))
  expect(refusal.code).toBe('kubeconfig_field_refused')
  expect(refusal.text).toContain(`"field":"${field}"`)
})

test.each([
  ['more than 1 MiB', `# ${'x'.repeat(1024 * 1024)}`, '1 MiB'],
  ['nested flow', `a: ${'['.repeat(500_000)}`, '64 levels'],
  ['nested blocks', '- '.repeat(500), '64 levels'],
  ['many entries', Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join('\n'), '20000 entries'],
  ['aliases', 'a: &x [1]\nb: *x', 'anchor'],
  ['an alias alone', 'a: *x', 'aliases'],
  ['tags', 'a: !!binary aGk=', 'tag'],
  ['two documents', `${kubeconfig()}\n---\n${kubeconfig()}`, 'more than one document'],
  ['duplicate keys', 'a: 1\na: 2', 'YAML'],
  ['no YAML', 'a: [', 'YAML'],
  ['text', 'hello', 'not a mapping'],
  ['nothing', '', 'not a mapping'],
  ['no contexts', 'kind: Config', 'no contexts'],
  [
    'a current context that is missing',
    kubeconfig().replace('context: main', 'context: other'),
    'does not exist',
  ],
  ['http', kubeconfig().replace('https:', 'http:'), 'https'],
  ['a password in the address', kubeconfig().replace('https://', 'https://a:b@'), 'more than host'],
  ['an authority that is no certificate', kubeconfig().replace(base64(mine.certificate), base64('x')), 'PEM'],
  ['an authority that is no base64', kubeconfig().replace(base64(mine.certificate), 'a'), 'base64'],
  ['neither token nor certificate', kubeconfig({ user: '    extensions: []' }), 'neither'],
  [
    'a key that is missing',
    kubeconfig({ user: `    client-certificate-data: ${base64(mine.certificate)}` }),
    'belong together',
  ],
  [
    'a key of another certificate',
    kubeconfig({
      user: `    client-certificate-data: ${base64(mine.certificate)}\n    client-key-data: ${base64(other.key)}`,
    }),
    'does not belong',
  ],
  ['a token with a line break', kubeconfig({ user: '    token: "a\\nb"' }), 'token'],
  ['a cluster twice', kubeconfig().replace('users:', '- name: one\n  cluster: {}\nusers:'), 'twice'],
])('%s: refused with the reason', (_, text, reason) => {
  const refusal = refusalOf(text)
  expect(refusal.code).toBe('kubeconfig_invalid')
  expect(refusal.text).toContain(reason)
})

test('no refusal repeats a secret', () => {
  expect(refusalOf(kubeconfig({ user: '    token: "s3cret with spaces"' })).text).not.toContain('s3cret')
})
