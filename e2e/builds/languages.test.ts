/* Builds with dependencies, from a commit to an answer, in every language that the platform detects. */
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { settleIn } from '../journey/developer.ts'
import { makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { hasMaven, hasPython, startRegistries, type Registries } from './registries.ts'
import { exampleFiles, sourceFiles, worksAt, type Built, type Works } from './works.ts'

let home: string
let product: Product
let registries: Registries
let works: Works

if (!hasMaven) process.stderr.write('not run: builds with Maven, since mvn or javac is not there\n')
if (!hasPython) process.stderr.write('not run: builds with Python, since python3 is not there\n')

beforeAll(async () => {
  home = await makeHome()
  registries = await startRegistries()
  product = await startProduct(home, { platform: 0, gateway: 0, cluster: 0 })
  works = worksAt((await settleIn(product, home)).cli, home)
})
afterAll(async () => {
  await registries[Symbol.asyncDispose]()
  await product.stop()
  await removeHome(home)
})

function expectBuilt({ ran, build, log }: Built): void {
  expect([build['state'], build['reason'], log], ran.err).toMatchObject([
    'Succeeded',
    null,
    expect.anything(),
  ])
  expect(ran.exit).toBe(0)
}

const fetchedOf = (part: string): number => registries.fetched().filter((path) => path.includes(part)).length

describe('Node', () => {
  test('npm install fetches dependencies, the build script runs with tools, the Image is without them', async () => {
    await works.application('node', await sourceFiles('node', registries.url))
    const built = await works.build('node')
    expectBuilt(built)
    expect(built.log).toContain('running npm install')
    expect(await works.release('node', built.build['id'])).toBe('hello from node MADE without tools\n')
    expect(fetchedOf('/harbour-greeting/-/')).toBe(1)
  })

  test('with a lock file npm ci installs exactly that, from the cache of the build before', async () => {
    const repository = await works.application('locked', {
      ...(await sourceFiles('node', registries.url)),
      'package-lock.json': JSON.stringify(lockFile()),
    })
    const first = await works.build('locked')
    expectBuilt(first)
    expect(first.log).toContain('running npm ci')
    const before = fetchedOf('/npm/')
    await repository.commit({ 'other.txt': 'changed' })
    const second = await works.build('locked')
    expectBuilt(second)
    expect(second.log).toContain('the cache is there')
    expect(fetchedOf('/npm/')).toBe(before)
    expect(await works.release('locked', second.build['id'])).toBe('hello from node MADE without tools\n')
  })

  test('a dependency that the registry does not have fails with npm’s own words', async () => {
    const files = await sourceFiles('node', registries.url)
    await works.application('missing', {
      ...files,
      'package.json':
        '{"name":"x","dependencies":{"harbour-nothing":"1"},"scripts":{"start":"node server.js"}}',
    })
    const { ran, build, log } = await works.build('missing')
    expect([ran.exit, build['reason']]).toMatchObject([1, { code: 'build_command_failed' }])
    expect(log).toContain('harbour-nothing')
  })
})

describe.runIf(hasPython)('Python', () => {
  test('pip installs requirements.txt, and the next build takes the wheel from its cache', async () => {
    const repository = await works.application('python', await sourceFiles('python', registries.url))
    const built = await works.build('python')
    expectBuilt(built)
    expect(await works.release('python', built.build['id'])).toBe('hello from python\n')
    expect(fetchedOf('/wheels/')).toBe(1)
    await repository.commit({ 'other.txt': 'changed' })
    expectBuilt(await works.build('python'))
    expect(fetchedOf('/wheels/')).toBe(1)
  })

  test('the example is built and answers', async () => {
    await works.application('python-web', await exampleFiles('python-web/first'))
    const built = await works.build('python-web')
    expectBuilt(built)
    expect(await works.release('python-web', built.build['id'])).toContain('Hello')
  })
})

describe.runIf(hasMaven)('Java', () => {
  test('Maven fetches plugin and dependency, the one jar runs, and the next build fetches nothing', async () => {
    const repository = await works.application('java', await sourceFiles('java', registries.url))
    const built = await works.build('java')
    expectBuilt(built)
    expect(await works.release('java', built.build['id'])).toBe('hello from java\n')
    const before = fetchedOf('/maven/')
    expect(before).toBe(3)
    await repository.commit({ 'other.txt': 'changed' })
    expectBuilt(await works.build('java'))
    expect(fetchedOf('/maven/')).toBe(before)
  })

  test('the example with its build.sh is built and answers', async () => {
    await works.application('java-web', await exampleFiles('java-web/first'))
    const built = await works.build('java-web')
    expectBuilt(built)
    expect(await works.release('java-web', built.build['id'])).not.toBe('')
  })
})

describe('a static site', () => {
  test('is served as it is', async () => {
    const files = await exampleFiles('static-site/first')
    await works.application('static-site', files)
    const built = await works.build('static-site')
    expectBuilt(built)
    expect(await works.release('static-site', built.build['id'])).toBe(files['index.html'])
  })
})

test('the cache of one Application is nothing to another: the second fetches for itself', async () => {
  const before = fetchedOf('/harbour-greeting/-/')
  await works.application('other', await sourceFiles('node', registries.url))
  const built = await works.build('other')
  expectBuilt(built)
  expect(built.log).not.toContain('the cache is there')
  expect(fetchedOf('/harbour-greeting/-/')).toBe(before + 1)
})

function lockFile(): unknown {
  const greeting = { version: '1.0.0', ...registries.npmLock('harbour-greeting') }
  const shout = {
    version: '1.0.0',
    ...registries.npmLock('harbour-shout'),
    dev: true,
    bin: { shout: 'shout.js' },
  }
  return {
    name: 'greeter',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': {
        name: 'greeter',
        version: '1.0.0',
        dependencies: { 'harbour-greeting': '^1.0.0' },
        devDependencies: { 'harbour-shout': '1.0.0' },
      },
      [join('node_modules', 'harbour-greeting')]: greeting,
      [join('node_modules', 'harbour-shout')]: shout,
    },
  }
}
