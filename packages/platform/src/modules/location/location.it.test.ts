import { must } from '@slipway/kit'
import { createClient, type Client } from '@slipway/sdk'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { Client as Postgres } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

/* Locations, and who may have Environments there, through the HTTP API. Nobody answers for the Clusters; none is needed. */
let platform: TestPlatform
let operator: Client
let maintainer: Client
let maintainerSecret: string
let stranger: Client
let project: string
const clusters = { home: `clu_${'1'.repeat(26)}`, far: `clu_${'2'.repeat(26)}` }

beforeAll(async () => {
  platform = await testPlatform()
  const postgres = new Postgres({ connectionString: platform.superuserUrl })
  await postgres.connect()
  for (const [slug, id] of Object.entries(clusters))
    await postgres.query(
      `insert into fleet_cluster (id, slug, name, credentials, server, gateway, is_default, created_at, updated_at)
       values ($1, $2, $2, '', '', '{}', $3, now(), now())`,
      [id, slug, slug === 'home'],
    )
  await postgres.end()
  const secret = await platform.becomeOperator()
  operator = createClient({ server: platform.url, credentials: { bearer: secret } })
  const organization = await operator.createOrganization({ slug: 'acme', name: 'Acme' })
  const other = await operator.createOrganization({ slug: 'others', name: 'Others' })
  project = (await operator.createProject({ organization: organization.id, slug: 'shop', name: 'Shop' })).id
  const signedIn = async (name: string, of: string): Promise<string> => {
    const user = await platform.user(secret, name)
    await operator.setMember({ organization: of, user: user.id, role: 'maintainer' })
    return user.secret
  }
  maintainerSecret = await signedIn('maintainer', organization.id)
  maintainer = createClient({ server: platform.url, credentials: { bearer: maintainerSecret } })
  const foreign = await signedIn('stranger', other.id)
  stranger = createClient({ server: platform.url, credentials: { bearer: foreign } })
})
afterAll(() => platform[Symbol.asyncDispose]())

const place = (slug: string, wish: { readonly location?: string; readonly cluster?: string }) =>
  maintainer.createEnvironment({ project, slug, name: slug, ...wish })

test('every Cluster is in the default Location until it is put into another one', async () => {
  const [standard] = (await maintainer.listLocations({})).items
  expect(standard).toMatchObject({ slug: 'default', isDefault: true, restricted: false })
  expect(standard?.clusters.map(({ slug }) => slug).toSorted()).toEqual(['far', 'home'])
  const made = await operator.createLocation({ slug: 'production', restricted: true })
  const filled = await operator.setClusterLocation({ cluster: clusters.far, location: made.id })
  expect(filled.clusters).toEqual([{ id: clusters.far, slug: 'far' }])
  await expect(operator.createLocation({ slug: 'production' })).rejects.toMatchObject({
    code: 'location_slug_taken',
  })
  await expect(operator.deleteLocation({ location: made.id })).rejects.toMatchObject({
    code: 'location_in_use',
  })
  await expect(
    operator.deleteLocation({ location: must(standard, 'there is one').id }),
  ).rejects.toMatchObject({ code: 'location_default' })
})

test('a restricted Location is refused, asked for, granted, and then used', async () => {
  const refusals = [{ location: 'production' }, { cluster: 'far' }]
  for (const wish of refusals)
    await expect(place('production', wish)).rejects.toMatchObject({
      code: 'location_not_granted',
      params: { location: 'production' },
    })
  const location = must(
    (await maintainer.listLocations({})).items.find(({ slug }) => slug === 'production'),
    'it is there',
  ).id
  const asked = await maintainer.requestLocation({ project, location, reason: 'goes live' })
  expect(asked).toMatchObject({
    state: 'Requested',
    project: { slug: 'shop' },
    location: { slug: 'production' },
  })
  await expect(maintainer.requestLocation({ project, location })).rejects.toMatchObject({
    code: 'location_asked_already',
  })
  expect((await stranger.listLocationGrants({})).items).toEqual([])
  const own = await platform.call('POST', `/v1/location-grants/${asked.id}/decision`, {
    secret: maintainerSecret,
    body: { granted: true },
  })
  expect(own.status).toBe(403)
  await expect(place('production', { location: 'production' })).rejects.toMatchObject({
    code: 'location_not_granted',
  })

  await operator.decideLocationGrant({ grant: asked.id, granted: false, comment: 'not yet' })
  const again = await maintainer.requestLocation({ project, location, reason: 'really' })
  expect(again).toMatchObject({ id: asked.id, state: 'Requested', comment: '' })
  await operator.decideLocationGrant({ grant: asked.id, granted: true })
  const { items } = await maintainer.listLocationGrants({ project, state: 'Granted' })
  expect(items.map(({ id }) => id)).toEqual([asked.id])
  expect(await place('production', { location: 'production' })).toMatchObject({ clusterId: clusters.far })

  await operator.decideLocationGrant({ grant: asked.id, granted: false })
  await expect(place('second', { location: 'production' })).rejects.toMatchObject({
    code: 'location_not_granted',
  })
})

test('without a wish an Environment goes to the default Cluster, and open Locations are not asked for', async () => {
  expect(await place('test', {})).toMatchObject({ clusterId: clusters.home })
  const open = await operator.createLocation({ slug: 'east' })
  await expect(maintainer.requestLocation({ project, location: open.id })).rejects.toMatchObject({
    code: 'location_not_restricted',
  })
  await expect(place('east', { location: 'east' })).rejects.toMatchObject({ code: 'location_empty' })
  await expect(place('east', { location: 'production', cluster: 'home' })).rejects.toMatchObject({
    code: 'location_elsewhere',
  })
  const updated = await operator.updateLocation({ location: open.id, name: '东部', isDefault: true })
  expect(updated.clusters.map(({ slug }) => slug)).toEqual(['home'])
  await operator.updateLocation({ location: open.id, restricted: true })
  await expect(place('east', {})).rejects.toMatchObject({ code: 'location_not_granted' })
})

test('a grant until a moment ends by itself, is told as ended, and may be asked for again', async () => {
  const [grant] = (await maintainer.listLocationGrants({ project, state: 'Refused' })).items
  const id = must(grant, 'it was taken back').id
  await expect(
    operator.decideLocationGrant({ grant: id, granted: true, until: '2020-01-01T00:00:00Z' }),
  ).rejects.toMatchObject({ code: 'location_until_past' })
  const until = '2999-01-01T00:00:00.000Z'
  const granted = await operator.decideLocationGrant({ grant: id, granted: true, until })
  expect(granted).toMatchObject({ state: 'Granted', until, requestedByName: 'maintainer' })
  expect(await place('until', { location: 'production' })).toMatchObject({ clusterId: clusters.far })

  const postgres = new Postgres({ connectionString: platform.superuserUrl })
  await postgres.connect()
  await postgres.query(`update location_grant set granted_until = '2026-01-01T00:00:00Z'`)
  await postgres.end()
  await expect(place('late', { location: 'production' })).rejects.toMatchObject({
    code: 'location_grant_ended',
    params: { location: 'production', until: '2026-01-01T00:00:00.000Z' },
  })
  expect((await maintainer.listLocationGrants({ project, state: 'Granted' })).items).toEqual([])
  const { items } = await maintainer.listLocationGrants({ project, state: 'Ended' })
  expect(items.map(({ state }) => state)).toEqual(['Ended'])
  const again = await maintainer.requestLocation({ project, location: granted.location.id })
  expect(again).toMatchObject({ id, state: 'Requested', until: null })
  const open = await operator.decideLocationGrant({ grant: id, granted: true })
  expect(open).toMatchObject({ state: 'Granted', until: null })
})
