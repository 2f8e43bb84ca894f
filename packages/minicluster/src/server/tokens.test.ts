import { generateKeyPairSync } from 'node:crypto'

import { expect, test } from 'vitest'

import type { AnyObject } from '../model.ts'
import { definitionOf } from '../registry/resources.ts'
import type { View } from '../store/index.ts'
import type { ServerKeys } from './keys.ts'
import { issueToken, readToken } from './tokens.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const target = { definition: definitionOf('serviceaccounts'), namespace: 'n', name: 'robot' }

function keysOf(): ServerKeys {
  return {
    caPem: '',
    adminToken: '',
    tokenKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    serving: () => Promise.reject(new Error('unused')),
  }
}

function viewOf(...objects: [string, AnyObject][]): View {
  const byName = new Map(objects)
  return { get: (resource, _, name) => byName.get(`${resource}/${name}`), list: () => [] }
}

function object(uid: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'robot', namespace: 'n', uid, resourceVersion: '1', creationTimestamp: '' },
  }
}

const keys = keysOf()
const view = viewOf(['serviceaccounts/robot', object('u1')], ['pods/robot', object('p1')])
const context = { keys, view, now: NOW }
const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

function tokenFor(spec: object): string {
  const { status } = issueToken({ spec }, target, context) as unknown as { status: { token: string } }
  return status.token
}

test('a token names its account until it expires', () => {
  const token = tokenFor({ expirationSeconds: 600 })
  expect(readToken(token, context)).toEqual({ namespace: 'n', name: 'robot', uid: 'u1' })
  expect(readToken(token, { ...context, now: after(599) })).toBeDefined()
  expect(readToken(token, { ...context, now: after(600) })).toBeUndefined()
})

test('a token ends with its account, and an account of the same name is another one', () => {
  const token = tokenFor({})
  expect(readToken(token, { ...context, view: viewOf() })).toBeUndefined()
  expect(
    readToken(token, { ...context, view: viewOf(['serviceaccounts/robot', object('u2')]) }),
  ).toBeUndefined()
})

test('a token bound to a pod ends with the pod', () => {
  const token = tokenFor({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'robot' } })
  expect(readToken(token, context)).toBeDefined()
  const withoutPod = viewOf(['serviceaccounts/robot', object('u1')])
  expect(readToken(token, { ...context, view: withoutPod })).toBeUndefined()
})

test('a token of another key, for another audience, or changed is none', () => {
  const token = tokenFor({})
  expect(readToken(token, { ...context, keys: keysOf() })).toBeUndefined()
  expect(readToken(tokenFor({ audiences: ['elsewhere'] }), context)).toBeUndefined()
  const [header, claims, signature] = token.split('.')
  const forged = Buffer.from(
    Buffer.from(claims ?? '', 'base64url')
      .toString()
      .replace('robot', 'admin'),
  ).toString('base64url')
  expect(readToken(`${header}.${forged}.${signature}`, context)).toBeUndefined()
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
  expect(readToken(`${unsigned}.${claims}.`, context)).toBeUndefined()
})

test('lifetimes below ten minutes are refused', () => {
  expect(() => tokenFor({ expirationSeconds: 599 })).toThrow(
    'may not specify a duration less than 10 minutes',
  )
  expect(() => tokenFor({ expirationSeconds: 'x' })).toThrow()
})
