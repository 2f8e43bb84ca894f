import { contract, type Endpoint } from '@slipway/contract'
import { expect, test } from 'vitest'

import { neededOverall, neededThere } from './needs.ts'

const declared = (name: string): Pick<Endpoint, 'permission' | 'scope'> =>
  (contract as unknown as Readonly<Record<string, Endpoint>>)[name] ?? {
    permission: 'public',
    scope: undefined,
  }

test.each(Object.entries(neededThere))('%s takes %s where its object is', (name, permission) => {
  expect(declared(name).permission).toBe(permission)
  expect(['installation', 'visible', undefined]).not.toContain(declared(name).scope)
})

test.each(Object.entries(neededOverall))('%s takes %s over the installation', (name, permission) => {
  expect(declared(name)).toMatchObject({ permission, scope: 'installation' })
})
