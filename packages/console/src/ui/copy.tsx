import { CheckOutlined, CopyOutlined } from '@ant-design/icons'
import { SECOND_MS, systemClock } from '@slipway/kit'
import { useState } from 'react'

import { useText } from '../preferences/text.ts'
import { Icon } from './icon.tsx'

/** A button that copies a text; it says so for a moment. */
export function CopyButton({ value, label }: { readonly value: string; readonly label?: string }) {
  const { text } = useText()
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
    systemClock.after(2 * SECOND_MS, () => setCopied(false))
  }
  const said = isCopied ? text('common.copied') : (label ?? text('common.copy'))
  return (
    <button
      type="button"
      className="quiet-button"
      title={said}
      aria-label={said}
      // Without the permission to write there is nothing to do but leave the text selectable.
      onClick={() => void copy().catch(() => undefined)}
    >
      {isCopied ? <Icon of={CheckOutlined} /> : <Icon of={CopyOutlined} />}
    </button>
  )
}

/** An id, digest or name of a machine's making. `shown` may be shorter than what is copied. */
export function Code({ value, shown }: { readonly value: string; readonly shown?: string }) {
  return (
    <span className="code-span">
      <code title={value}>{shown ?? value}</code>
      <CopyButton value={value} />
    </span>
  )
}

/** The beginning of a digest, as people compare them. */
export function shortDigest(reference: string): string {
  const digest = /sha256:([0-9a-f]{12})/u.exec(reference)?.[1]
  return digest ?? reference
}
