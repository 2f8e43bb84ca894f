/* A Pool by mouse: made, filled, rented, chosen for a Workload, and given back. */
import { hostname } from 'node:os'

import { freePort } from '@slipway/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { accessibilityFindings, browserPath, keepPicture, openBrowser, PASSWORD, visit } from './browser.ts'

const DEADLINE = { timeout: 120_000 }

let home = ''
let product: Product
let developer: Developer
let browser: Browser

describe.skipIf(browserPath === undefined)('Pools of nodes', () => {
  beforeAll(async () => {
    home = await makeHome()
    product = await startProduct(home, {
      platform: await freePort(),
      gateway: await freePort(),
      cluster: await freePort(),
    })
    developer = await settleIn(product, home)
    await developer.cli.succeed(
      ['user', 'create', 'bea', '--role', 'operator', '--password-stdin'],
      `${PASSWORD}\n`,
    )
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await product?.stop()
    if (home !== '') await removeHome(home)
  })

  test('a Pool is made, gets a node, is rented until a day, chosen by a Workload, and given back', async () => {
    await using visitor = await visit(browser, { url: product.url, theme: 'light', language: 'en' })
    const { page } = visitor
    const { cli } = developer
    const dialog = page.getByRole('dialog')
    await page.goto('/clusters')
    await signIn(page)
    await page.getByRole('grid').getByRole('link', { name: 'local' }).click(DEADLINE)
    await page
      .getByRole('region', { name: 'Pools' })
      .getByRole('button', { name: 'New Pool' })
      .click(DEADLINE)
    await dialog.getByLabel('Name', { exact: true }).fill('fast')
    await dialog.getByLabel('Nodes by labels').fill('disk=')
    await page.keyboard.type('ssd')
    await page.keyboard.press('Enter')
    await dialog.getByText('pool create local <slug> --labels disk=ssd').waitFor()
    expect(await accessibilityFindings(page)).toEqual([])
    await keepPicture(page, 'pool-new')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'fast' }).waitFor(DEADLINE)
    await page.getByText('No node is in it yet.').waitFor()

    await page.getByRole('button', { name: 'Add a node' }).click()
    await dialog.getByLabel('Node', { exact: true }).fill(hostname())
    await page.locator('.ant-select-item-option', { hasText: hostname() }).click(DEADLINE)
    await dialog.getByText(`pool add-node fast --cluster local ${hostname()}`).waitFor(DEADLINE)
    await dialog.getByRole('button', { name: 'Add a node' }).click()
    const nodes = page.getByRole('grid', { name: 'Nodes' })
    await nodes.getByRole('link', { name: hostname() }).waitFor(DEADLINE)
    await nodes.getByText('settled', { exact: true }).waitFor(DEADLINE)

    await page.getByRole('button', { name: 'Rent', exact: true }).click()
    await dialog.getByLabel('Project', { exact: true }).fill('sho')
    await page.locator('.ant-select-item-option', { hasText: 'shop' }).click(DEADLINE)
    await dialog.getByText('No Instance of another Project is on its nodes.').waitFor(DEADLINE)
    await dialog.getByLabel('Until').fill('2099-05-01T08:00')
    await dialog.getByLabel('Comment').fill('for the season')
    expect(await accessibilityFindings(page)).toEqual([])
    await keepPicture(page, 'pool-rent')
    await dialog.getByRole('button', { name: 'Rent', exact: true }).click()
    const rent = page.getByRole('region', { name: 'Rent', exact: true })
    await rent.getByText('rented', { exact: true }).waitFor(DEADLINE)

    const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 16)
    await page.getByRole('button', { name: 'Change the end' }).click()
    await dialog.getByLabel('Until').fill(soon)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await rent.getByText('rented, ends soon').waitFor(DEADLINE)
    const rents = page.getByRole('list', { name: 'Rents over time' })
    await rents.getByText('for the season').waitFor(DEADLINE)
    expect(await cli.json('pool', 'rents')).toMatchObject([{ project: { slug: 'shop' }, state: 'Ending' }])
    await keepPicture(page, 'pool-rented')

    const { id } = await cli.json('workload', 'show', WORKLOAD)
    const path = page.url()
    await page.goto(`/workloads/${String(id)}/settings`)
    const choice = page.getByRole('region', { name: 'Pool', exact: true })
    await choice.getByRole('combobox', { name: 'Pool' }).fill('fa')
    await page.locator('.ant-select-item-option', { hasText: 'fast' }).click(DEADLINE)
    await choice.getByText(`workload pool ${WORKLOAD} fast`).waitFor(DEADLINE)
    await choice.getByRole('button', { name: 'Review and save' }).click()
    await dialog.getByText('+ fast').waitFor()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await choice.getByText('set here').waitFor(DEADLINE)
    expect(await cli.json('workload', 'show', WORKLOAD)).toMatchObject({ pool: 'fast' })
    await cli.succeed(['workload', 'pool', WORKLOAD, '--none'])

    await page.goto(path)
    await page.getByRole('button', { name: 'End the rent' }).click(DEADLINE)
    await dialog.getByRole('button', { name: 'End the rent' }).click()
    await page.getByText('Nobody rents it.').waitFor(DEADLINE)
    await rents.getByText('ended', { exact: true }).waitFor(DEADLINE)
    await page.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { level: 1, name: 'local' }).waitFor(DEADLINE)
    // Under the pointer nothing moves, not even what is gone.
    await page.mouse.move(0, 0)
    await expect.poll(() => cli.json('pool', 'list'), DEADLINE).toEqual([])
    await page.getByText('A Pool is nodes of a Cluster under one name.').waitFor(DEADLINE)
    expect(visitor.complaints().filter((said) => !said.includes('401'))).toEqual([])
  })
})

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('bea')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
