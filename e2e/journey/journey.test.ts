import { freePort } from '@slipway/testkit'
import { afterAll, beforeAll, test } from 'vitest'

import { settleIn, type Developer } from './developer.ts'
import { makeHome, removeHome, startProduct, type Product } from './product.ts'
import { makeRepository, type Repository } from './repository.ts'
import { travel } from './travel.ts'

let home: string
let product: Product
let repository: Repository
let developer: Developer

beforeAll(async () => {
  home = await makeHome()
  repository = await makeRepository(home)
  product = await startProduct(home, {
    platform: await freePort(),
    gateway: await freePort(),
    cluster: await freePort(),
  })
  developer = await settleIn(product, home)
  await developer.nameSource(repository)
})
afterAll(async () => {
  await product.stop()
  await removeHome(home)
})

test(
  'from a commit through canaries to everybody and back, and no visitor notices',
  { timeout: 280_000 },
  async () => {
    const entrance = async () => ({ url: await developer.address() })
    process.stderr.write(`${await travel({ developer, repository, entrance })}\n`)
  },
)
