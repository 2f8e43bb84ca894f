import { createHash } from 'node:crypto'

import type { OpenApiDocument } from '@slipway/contract'
import { errorCodes, errorText } from '@slipway/messages'

import { markup, raw, type Html } from './html.ts'
import { codeSpans, fieldsHtml, operationHtml, type Shown } from './operation.ts'
import { DOCS_STYLE } from './style.ts'

/**
 * The API's reference as one page that loads nothing: no script, no font, no image. Its policy allows exactly its own
 * style sheet, by hash. The same document gives the same page.
 */
export function docsPage(document: OpenApiDocument): {
  readonly html: string
  readonly contentSecurityPolicy: string
} {
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${document.info.title} API ${document.info.version}</title>
        <style>${raw(DOCS_STYLE)}</style>
      </head>
      <body>
        <div class="layout">
          ${navigationHtml(document)}
          <main>
            <h1>${document.info.title} API <span class="dim">${document.info.version}</span></h1>
            ${document.info.description.split('\n\n').map((text) => markup`<p>${codeSpans(text)}</p>`)}
            <p class="dim">
              A program reads the same from <a href="/docs/openapi.json">/docs/openapi.json</a>. Ctrl-F finds
              any operation by its name, path or words; a link to <code>#name</code> opens it.
            </p>
            ${document.tags.map(({ name }) => tagHtml(document, name))} ${schemasHtml(document)}
            ${errorsHtml()}
          </main>
        </div>
      </body>
    </html>`
  const hash = createHash('sha256').update(DOCS_STYLE).digest('base64')
  return {
    html: page.html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  }
}

function operationsOf(document: OpenApiDocument, tag: string): readonly Shown[] {
  return Object.entries(document.paths).flatMap(([path, ofPath]) =>
    Object.entries(ofPath)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ path, method, operation })),
  )
}

function navigationHtml(document: OpenApiDocument): Html {
  const groups = document.tags.map(({ name }) => {
    const links = operationsOf(document, name).map(
      ({ operation }) => markup`<li><a href="#${operation.operationId}">${operation.operationId}</a></li>`,
    )
    return markup`<details open>
      <summary>${name}</summary>
      <ul>
        ${links}
      </ul>
    </details>`
  })
  return markup`<nav aria-label="Operations">
    ${groups}
    <details open>
      <summary>more</summary>
      <ul>
        <li><a href="#schemas">Schemas</a></li>
        <li><a href="#errors">Errors</a></li>
      </ul>
    </details>
  </nav>`
}

function tagHtml(document: OpenApiDocument, tag: string): Html {
  return markup`<section aria-labelledby="tag-${tag}">
    <h2 id="tag-${tag}">${tag}</h2>
    ${operationsOf(document, tag).map(operationHtml)}
  </section>`
}

function schemasHtml({ components }: OpenApiDocument): Html {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      markup`<details class="operation">
        <summary>
          <span class="method dim">schema</span>
          <h3>${name}</h3>
          ${typeof schema['description'] === 'string' ? markup`<span class="said">${schema['description']}</span>` : undefined}
        </summary>
        <div class="inside" id="schema-${name}">
          ${fieldsHtml(schema)}${typeof schema['pattern'] === 'string' ? markup`<pre>${schema['pattern']}</pre>` : undefined}
        </div>
      </details>`,
  )
  return markup`<section aria-labelledby="schemas">
    <h2 id="schemas">Schemas</h2>
    ${schemas}
  </section>`
}

/** Every code with its texts, so that a reader finds cause and fix without asking. */
function errorsHtml(): Html {
  const rows = [...errorCodes()].sort().map(
    (code) =>
      markup`<tr id="error-${code}">
        <td><code>${code}</code></td>
        <td>${errorText('en', code, {})}</td>
        <td lang="zh-CN">${errorText('zh-CN', code, {})}</td>
      </tr>`,
  )
  return markup`<section aria-labelledby="errors">
    <h2 id="errors">Errors</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Code</th>
            <th>English</th>
            <th lang="zh-CN">中文</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`
}
