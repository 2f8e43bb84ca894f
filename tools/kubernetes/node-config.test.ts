import { expect, test } from 'vitest'

import { containerdConfig, kubeletConfig, networkConfig, registryConfig } from './node-config.ts'
import { nodeAddress, podSubnet } from './node-network.ts'

test('every node and its pods have addresses of their own', () => {
  const network = { number: 207, bridge: 'slipway-207', hostAddress: '10.207.0.1', podRange: '10.207.0.0/16' }
  expect([1, 2, 20].map((node) => nodeAddress(network, node))).toEqual([
    '10.207.0.11',
    '10.207.0.12',
    '10.207.0.30',
  ])
  expect([1, 2, 20].map((node) => podSubnet(network, node))).toEqual([
    '10.207.101.0/24',
    '10.207.102.0/24',
    '10.207.120.0/24',
  ])
})

test('containerd keeps to its own places, whatever characters they have', () => {
  const config = containerdConfig({
    runcPath: '/a "b"/runc',
    pluginFolder: '/plugins',
    networkFolder: '/networks',
    registriesFolder: '/registries',
    snapshotter: 'native',
  })
  expect(config).toContain('BinaryName = "/a \\"b\\"/runc"\n')
  expect(config).toContain('snapshotter = "native"\n')
  // Its default is a folder below /opt, which would stay behind.
  expect(config).toMatch(/^disabled_plugins = \[.*"io\.containerd\.internal\.v1\.opt"/mu)
})

test('pods get addresses of the node only', () => {
  expect(JSON.parse(networkConfig('10.200.101.0/24'))).toMatchObject({
    plugins: [{ type: 'ptp', ipam: { ranges: [[{ subnet: '10.200.101.0/24' }]] } }, { type: 'portmap' }],
  })
})

test('nobody but the API server may ask a kubelet', () => {
  const settings = { address: '10.200.0.11', cgroup: '/c/node-1', clientAuthorityPath: '/authority.crt' }
  expect(JSON.parse(kubeletConfig(settings))).toMatchObject({
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: '/authority.crt' },
    },
    cgroupRoot: '/c/node-1',
  })
})

test('a registry is trusted by the authority it is given with', () => {
  expect(registryConfig('10.200.0.1:5000', '/r/authority.crt')).toBe(
    'server = "https://10.200.0.1:5000"\nca = "/r/authority.crt"\n',
  )
})
