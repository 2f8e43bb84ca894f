import { createHash } from 'node:crypto'

import * as exported from '@slipway/contract'
import { contract, openApiDocument } from '@slipway/contract'
import { describe, expect, test } from 'vitest'

import { curlOf } from './operation.ts'
import { docsPage } from './index.ts'

const document = openApiDocument(contract, '1.2.3', exported)
const page = docsPage(document)

describe('the reference page', () => {
  test('shows every operation of the contract, and every link leads somewhere', () => {
    const ids = new Set([...page.html.matchAll(/ id="([^"]+)"/gu)].map((match) => match[1]))
    const names = Object.entries(contract).filter(([, declared]) => declared.kind !== ('protocol' as string))
    for (const [name] of names) expect(ids, name).toContain(name)
    const links = [...page.html.matchAll(/href="#([^"]+)"/gu)].map((match) => match[1])
    expect(links.filter((link) => !ids.has(link))).toEqual([])
  })

  test('no id stands twice', () => {
    const ids = [...page.html.matchAll(/ id="([^"]+)"/gu)].map((match) => match[1])
    expect(ids.length).toBe(new Set(ids).size)
  })

  test('needs nothing from anywhere: no script, no address, no inline style, and the policy holds exactly its style', () => {
    expect(page.html).not.toMatch(/<script|<link|<img|src=|@import|url\(| style="| on[a-z]+="/u)
    const style = /<style>([\s\S]*?)<\/style>/u.exec(page.html)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(page.contentSecurityPolicy).toContain(`style-src 'sha256-${hash}'`)
    expect(page.contentSecurityPolicy).toContain("default-src 'none'")
  })

  test('what the document says is never read as HTML', () => {
    const hostile = docsPage({
      ...document,
      info: { ...document.info, title: '<script>alert(1)</script>', description: '</main>`<b>`' },
    })
    expect(hostile.html).not.toContain('<script')
    expect(hostile.html).toContain('<code>&lt;b&gt;</code>')
  })
})

test('a curl line quotes its body for the shell', () => {
  const operation = document.paths['/v1/organizations/{organization}/projects']?.['post']
  if (!operation) throw new Error('the document lacks createProject')
  const body = {
    required: true,
    content: { 'application/json': { schema: {}, example: { name: "O'Neil" } } },
  }
  const line = curlOf({
    path: '/v1/x/{organization}',
    method: 'post',
    operation: { ...operation, requestBody: body },
  })
  expect(line).toContain(String.raw`-d '{"name":"O'\''Neil"}'`)
  expect(line).toContain('"http://localhost:7447/v1/x/$ORGANIZATION"')
})
