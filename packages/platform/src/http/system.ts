import { Readable } from 'node:stream'

import * as declarations from '@slipway/contract'
import { contract, openApiDocument } from '@slipway/contract'

import type { Platform } from '../context.ts'
import { VERSION } from '../version.ts'
import { readSetting } from '../control/queries.ts'
import { docsPage } from './docs/index.ts'
import { httpErrors } from './errors.ts'
import type { Routes } from './routes.ts'

/** @param isEnding - whether callers should go to another replica, although this one still answers */
export function systemRoutes(routes: Routes, platform: Platform, isEnding: () => boolean): void {
  routes.on(contract.getVersion, async () => ({ version: VERSION, installation: platform.installationId }))
  routes.on(contract.getHealth, async (_, ctx) => {
    if (isEnding()) throw httpErrors.replica_ending(undefined, { retryAfterSeconds: 1 })
    await readSetting(ctx.db, 'installation')
    return { status: 'ok' as const }
  })
  docsRoutes(routes)
}

/** The document and its page are the same for the life of the process, so they are made once, when first asked for. */
function docsRoutes(routes: Routes): void {
  let made: { readonly json: string; readonly html: string; readonly policy: string } | undefined
  const docs = (): NonNullable<typeof made> => {
    if (made) return made
    const document = openApiDocument(contract, VERSION, declarations)
    const { html, contentSecurityPolicy } = docsPage(document)
    made = { json: JSON.stringify(document), html, policy: contentSecurityPolicy }
    return made
  }
  routes.onStream(contract.getDocs, async ({ download }) => {
    const { html, policy } = docs()
    await download({
      contentType: 'text/html; charset=utf-8',
      headers: { 'content-security-policy': policy },
      body: Readable.from([html]),
    })
  })
  routes.onStream(contract.getOpenApi, async ({ download }) =>
    download({ contentType: 'application/json', body: Readable.from([docs().json]) }),
  )
}
