/* Saying by the form where the Instances of a process may run. */
import type { Page } from 'playwright-core'

/** Asks for nodes by a label and keeps Instances apart, reads what that changes, and saves it. */
export async function placeByForm(page: Page): Promise<void> {
  const form = page.getByRole('region', { name: 'Where it may run' })
  await form.getByRole('button', { name: 'Add: Nodes' }).click()
  await form.getByLabel('Label of the node').fill('kubernetes.io/os')
  await form.getByRole('combobox', { name: 'Values' }).fill('linux')
  await page.keyboard.press('Enter')
  await form.getByRole('button', { name: 'Add: Away from' }).click()
  await form.getByLabel('Application of this Project').fill('web')
  await form.getByRole('button', { name: 'Review and save' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('+ nodes kubernetes.io/os In linux').waitFor()
  await dialog.getByText('+ apart web host').waitFor()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await form.getByText('set here', { exact: true }).waitFor({ timeout: 120_000 })
}

/** Lets what slipway.yaml says count again. */
export async function clearPlacement(page: Page): Promise<void> {
  const form = page.getByRole('region', { name: 'Where it may run' })
  await form.getByRole('button', { name: 'As slipway.yaml says' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await form.getByText('set here', { exact: true }).waitFor({ state: 'hidden', timeout: 120_000 })
}
