import { describe, expect, test } from 'vitest'

import { judgeAddress, parseAllowance, type OutboundRules } from './addresses.ts'
import { parseGitUrl } from './git-url.ts'
import { outboundGuard, outboundRulesOf } from './guard.ts'

const closed: OutboundRules = { allowsPrivate: false, allowances: [] }

/** What becomes of an address: taken apart and let through, refused as a URL, or refused by where it leads. */
async function fate(text: string, rules: OutboundRules): Promise<string> {
  const parsed = parseGitUrl(text)
  if (!parsed.ok) return 'invalid'
  const { value } = parsed
  if (value.kind === 'file') return `file ${value.path}`
  const guard = outboundGuard(rules, async (host) => names[host] ?? Promise.reject(new Error('unknown')))
  try {
    const pinned = await guard(value.host, value.port)
    return `${value.kind} ${pinned.addresses.join(',')}:${pinned.port}`
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
}

const names: Readonly<Record<string, readonly string[]>> = {
  'git.example': ['93.184.216.34'],
  'two.example': ['93.184.216.34', '10.0.0.1'],
  'rebind.example': ['127.0.0.1'],
  'meta.example': ['169.254.169.254'],
  localhost: ['127.0.0.1', '::1'],
  'none.example': [],
}

const forms: [url: string, expected: string][] = [
  ['https://git.example/a.git', 'https 93.184.216.34:443'],
  ['https://git.example:8443/a/b', 'https 93.184.216.34:8443'],
  ['http://git.example/a', 'http 93.184.216.34:80'],
  ['HTTPS://GIT.EXAMPLE/a', 'https 93.184.216.34:443'],
  ['ssh://git@git.example/a.git', 'ssh 93.184.216.34:22'],
  ['ssh://git.example:2222/a.git', 'ssh 93.184.216.34:2222'],
  ['git@git.example:a/b.git', 'ssh 93.184.216.34:22'],
  ['git.example:a/b.git', 'ssh 93.184.216.34:22'],
  ['/srv/git/a', 'file /srv/git/a'],
  ['//srv//git/a/', 'file /srv/git/a'],
  ['file:///srv/git/a', 'file /srv/git/a'],
  ['file://localhost/srv/a%20b', 'file /srv/a b'],
  // Where it leads.
  ['https://127.0.0.1/a', 'outbound_private'],
  ['https://localhost/a', 'outbound_private'],
  ['https://2130706433/a', 'outbound_private'],
  ['https://0x7f000001/a', 'outbound_private'],
  ['https://0177.0.0.1/a', 'outbound_private'],
  ['https://127.1/a', 'outbound_private'],
  ['https://①②⑦.0.0.1/a', 'outbound_private'],
  ['https://[::1]/a', 'outbound_private'],
  ['https://[::ffff:127.0.0.1]/a', 'outbound_private'],
  ['https://[::ffff:7f00:1]/a', 'outbound_private'],
  ['https://[64:ff9b::7f00:1]/a', 'outbound_private'],
  ['https://10.1.2.3/a', 'outbound_private'],
  ['https://172.31.255.255/a', 'outbound_private'],
  ['https://172.32.0.1/a', 'https 172.32.0.1:443'],
  ['https://192.168.0.1/a', 'outbound_private'],
  ['https://100.64.0.1/a', 'outbound_private'],
  ['https://[fd12::1]/a', 'outbound_private'],
  ['https://198.18.0.1/a', 'outbound_private'],
  ['https://0.0.0.0/a', 'outbound_forbidden'],
  ['https://0/a', 'outbound_forbidden'],
  ['https://[::]/a', 'outbound_forbidden'],
  ['https://169.254.169.254/latest', 'outbound_forbidden'],
  ['https://[::ffff:169.254.169.254]/a', 'outbound_forbidden'],
  ['https://[64:ff9b::a9fe:a9fe]/a', 'outbound_forbidden'],
  ['https://[fd00:ec2::254]/a', 'outbound_forbidden'],
  ['https://100.100.100.200/a', 'outbound_forbidden'],
  ['https://[fe80::1]/a', 'outbound_forbidden'],
  ['https://[2002:7f00:1::]/a', 'outbound_forbidden'],
  ['https://224.0.0.1/a', 'outbound_forbidden'],
  ['https://255.255.255.255/a', 'outbound_forbidden'],
  ['https://rebind.example/a', 'outbound_private'],
  ['https://meta.example/a', 'outbound_forbidden'],
  ['https://two.example/a', 'outbound_private'],
  ['https://unknown.example/a', 'outbound_unresolved'],
  ['https://none.example/a', 'outbound_unresolved'],
  ['ssh://git@127.0.0.1/a', 'outbound_private'],
  ['ssh://git@0177.0.0.1/a', 'outbound_private'],
  ['ssh://git@[::1]:22/a', 'outbound_private'],
  ['git@2130706433:a', 'outbound_private'],
  // What is no address of ours.
  ['ext::sh -c id', 'invalid'],
  ['ext::sh', 'invalid'],
  ['fd::17', 'invalid'],
  ['git://git.example/a', 'invalid'],
  ['ftp://git.example/a', 'invalid'],
  ['javascript://git.example/a', 'invalid'],
  ['git+ssh://git.example/a', 'invalid'],
  ['https://user:secret@git.example/a', 'invalid'],
  ['https://user@git.example/a', 'invalid'],
  ['ssh://git:secret@git.example/a', 'invalid'],
  ['ssh://-oProxyCommand=id/a', 'invalid'],
  ['ssh://git@-oProxyCommand=id/a', 'invalid'],
  ['-oProxyCommand=id:a', 'invalid'],
  ['git@git.example:-a', 'invalid'],
  ['--upload-pack=id', 'invalid'],
  ['https://git.example/a?x=1', 'invalid'],
  ['https://git.example/a#b', 'invalid'],
  ['https://git.example', 'invalid'],
  ['https://', 'invalid'],
  ['https://git.example:0/a', 'invalid'],
  ['https://git.example:99999/a', 'invalid'],
  ['https://git.example\\@evil.example/a', 'invalid'],
  ['https://git.example/a b', 'invalid'],
  ['https://git.example/a\n', 'invalid'],
  ['/srv/../etc', 'invalid'],
  ['file://evil.example/srv', 'invalid'],
  ['file:///srv/%2e%2e/etc', 'invalid'],
  ['file:///srv/%zz', 'invalid'],
  ['relative/path', 'invalid'],
  ['', 'invalid'],
  ['a'.repeat(3_000), 'invalid'],
]

describe('the outbound guard', () => {
  test.each(forms)('%s', async (url, expected) => {
    // A space survives only in a path that was written as a URL.
    expect(await fate(url, closed)).toBe(expected)
  })

  test('listening on loopback lets private addresses through, and still no metadata service', async () => {
    const rules = outboundRulesOf({ host: '127.0.0.1', outboundAllow: [] })
    expect(await fate('http://127.0.0.1:3000/a', rules)).toBe('http 127.0.0.1:3000')
    expect(await fate('https://10.0.0.1/a', rules)).toBe('https 10.0.0.1:443')
    expect(await fate('https://169.254.169.254/a', rules)).toBe('outbound_forbidden')
  })

  test('an allowance opens its block at its port, and nothing else', async () => {
    const rules = outboundRulesOf({ host: '0.0.0.0', outboundAllow: ['10.0.0.0/8:443', '[fd00::/8]:*'] })
    expect(await fate('https://10.0.0.1/a', rules)).toBe('https 10.0.0.1:443')
    expect(await fate('http://10.0.0.1/a', rules)).toBe('outbound_private')
    expect(await fate('https://[::ffff:10.0.0.1]/a', rules)).toContain('https')
    expect(await fate('https://192.168.0.1/a', rules)).toBe('outbound_private')
    expect(await fate('http://[fd12::1]/a', rules)).toBe('http fd12::1:80')
    expect(await fate('http://[fd00:ec2::254]/a', rules)).toBe('outbound_forbidden')
  })

  test.each(['10.0.0.0/33:443', '10.0.0.0:443', '10.0.0.0/8', 'git.example:443', '10.0.0.0/8:0', ''])(
    'the allowance %j is none',
    (text) => expect(parseAllowance(text)).toBeUndefined(),
  )

  test('text that is no IP address is never allowed', () => {
    for (const text of ['', 'localhost', '1.2.3', '::g', '127.0.0.1 '])
      expect(judgeAddress(text, 443, { allowsPrivate: true, allowances: [] })).toBe('forbidden')
  })
})
