import { expect, test } from 'vitest'

import { parseOptions, type Options } from './options.ts'
import { clusterArgument, clusterEnvironment, inheritedEnvironment, platformEnvironment } from './parts.ts'

const folder = {
  path: '/data',
  keysFolder: '/data/keys',
  blobsFolder: '/data/blobs',
  runtimesFolder: '/data/runtimes',
}
const ports = { platform: 7447, gateway: 7480, cluster: 7443, own: '18000-18999' }

function optionsOf(...words: string[]): Options {
  const options = parseOptions(words)
  if (options === 'help') throw new Error('no help was asked for')
  return options
}

function environmentOf(
  options: Options,
  environment: Readonly<Record<string, string>> = { HOME: '/home/a' },
) {
  return platformEnvironment({
    folder,
    options,
    ports,
    database: { app: 'postgres://app', owner: 'postgres://owner' },
    kubeconfig: '/data/cluster/kubeconfig',
    consoleAt: '/built/console',
    checkout: '/checkout',
    environment,
    transport: undefined,
  })
}

test('a child inherits where things are and no secret of somebody else', () => {
  const environment = {
    PATH: '/bin',
    LANG: 'C',
    AWS_SECRET_ACCESS_KEY: 'x',
    DATABASE_URL: 'y',
    GIT_ASKPASS: 'z',
  }
  expect(inheritedEnvironment(environment)).toEqual({ PATH: '/bin', LANG: 'C' })
})

test('folders of this machine are sources only while nobody else reaches the platform', () => {
  expect(environmentOf(optionsOf())['SLIPWAY_LOCAL_SOURCE_ROOTS']).toBe('/home/a:/data/samples')
  const open = optionsOf('--listen', '0.0.0.0', '--public-url', 'https://a.example')
  expect(environmentOf(open)['SLIPWAY_LOCAL_SOURCE_ROOTS']).toBe('/data/samples')
})

test('the embedded cluster and its gateway are addresses that the platform may connect to, beside what an operator allows', () => {
  const open = optionsOf('--listen', '0.0.0.0', '--public-url', 'https://a.example')
  const allowed = (environment: Readonly<Record<string, string>>) =>
    environmentOf(open, environment)['SLIPWAY_OUTBOUND_ALLOW']
  expect(allowed({})).toBe('127.0.0.1/32:7443,127.0.0.1/32:7480')
  expect(allowed({ SLIPWAY_OUTBOUND_ALLOW: '10.0.0.0/8:443' })).toBe(
    '10.0.0.0/8:443,127.0.0.1/32:7443,127.0.0.1/32:7480',
  )
})

test('without the sample nothing of it is told', () => {
  const environment = environmentOf(optionsOf('--no-sample'))
  expect(environment).not.toHaveProperty('SLIPWAY_SAMPLE')
  expect(environment['SLIPWAY_LOCAL_SOURCE_ROOTS']).toBe('/home/a')
})

test('a database of one’s own may have other replicas', () => {
  expect(environmentOf(optionsOf())['SLIPWAY_SOLE_REPLICA']).toBe('true')
  expect(environmentOf(optionsOf(), { DATABASE_URL: 'postgres://x' })['SLIPWAY_SOLE_REPLICA']).toBe('false')
})

test('the cluster finds its programs first where every account may run them', () => {
  const argument = clusterArgument({
    folder,
    options: optionsOf('--keep-running'),
    ports,
    node: '/data/runtimes/node-24/bin/node',
    environment: { PATH: '/usr/bin' },
  })
  expect(JSON.parse(argument)).toEqual({
    dataFolder: '/data/cluster',
    apiPort: 7443,
    gatewayPort: 7480,
    gatewayListen: '127.0.0.1',
    ownPorts: '18000-18999',
    ownRegistry: 'localhost:7447',
    hostPath: '/data/runtimes/node-24/bin:/usr/bin',
    keepRunning: true,
  })
})

test('an authority of this installation is trusted by the cluster and named to builds', () => {
  const transport = {
    certificate: '/data/keys/server.pem',
    key: '/data/keys/server.pem',
    authority: '/data/keys/authority.crt',
    fingerprint: 'AB',
    validUntil: new Date(0),
  }
  expect(clusterEnvironment({ PATH: '/bin' }, transport)).toEqual({
    PATH: '/bin',
    NODE_EXTRA_CA_CERTS: '/data/keys/authority.crt',
  })
  expect(clusterEnvironment({ PATH: '/bin' }, undefined)).toEqual({ PATH: '/bin' })
  expect(
    platformEnvironment({
      folder,
      options: optionsOf(),
      ports,
      database: { app: 'a', owner: 'o' },
      kubeconfig: '/k',
      consoleAt: '/c',
      checkout: '/checkout',
      environment: {},
      transport,
    }),
  ).toMatchObject({
    SLIPWAY_TLS_CERTIFICATE: '/data/keys/server.pem',
    SLIPWAY_TLS_KEY: '/data/keys/server.pem',
    SLIPWAY_AUTHORITY_FILE: '/data/keys/authority.crt',
  })
})
