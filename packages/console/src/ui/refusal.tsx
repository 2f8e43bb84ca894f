import { errorText } from '@slipway/messages'
import { ApiError } from '@slipway/sdk'
import { Button } from 'antd'
import { useState } from 'react'

import { serverNow } from '../data/server-time.ts'
import { useText } from '../preferences/text.ts'
import { Shape } from './status.tsx'

/** What went wrong and what to do, with what an operator needs to find it. Nothing when there is no error. */
export function Refusal({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { text } = useText()
  const said = useRefusalText()
  if (error === null || error === undefined) return null
  const code = error instanceof ApiError ? error.code : 'console_fault'
  const requestId = error instanceof ApiError ? error.requestId : ''
  return (
    <div className="refusal" role="alert">
      <Shape tone="bad" sizePx={14} />
      <div>
        <p className="refusal-text">{said(error)}</p>
        <p className="refusal-facts">
          <span>
            {text('error.code')} <code>{code}</code>
          </span>
          {requestId !== '' && (
            <span>
              {text('error.request')} <code>{requestId}</code>
            </span>
          )}
          <ReportButton error={error} />
          {retry && (
            <Button type="link" size="small" onClick={retry}>
              {text('error.retry')}
            </Button>
          )}
        </p>
      </div>
    </div>
  )
}

/** The sentence for an error in the reader's language; a newer server's own English one when this console does not know it. */
export function useRefusalText(): (error: unknown) => string {
  const { text, language } = useText()
  return (error) => {
    if (!(error instanceof ApiError)) return text('error.crashText')
    const known = errorText(language, error.code, error.params)
    return known === error.code ? error.message : known
  }
}

/** Copies everything somebody else needs to understand an error. */
export function ReportButton({ error }: { readonly error: unknown }) {
  const { text } = useText()
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(reportOf(error))
    setCopied(true)
  }
  return (
    <Button type="link" size="small" onClick={() => void copy().catch(() => undefined)}>
      {isCopied ? text('error.copied') : text('error.report')}
    </Button>
  )
}

function reportOf(error: unknown): string {
  const lines = [`at: ${serverNow().toISOString()}`, `page: ${window.location.href}`]
  if (error instanceof ApiError)
    lines.push(
      `code: ${error.code}`,
      `status: ${error.status}`,
      `request: ${error.requestId}`,
      `message: ${errorText('en', error.code, error.params)}`,
    )
  else if (error instanceof Error) lines.push(`fault: ${error.message}`, error.stack ?? '')
  lines.push(`browser: ${navigator.userAgent}`)
  return lines.join('\n')
}
