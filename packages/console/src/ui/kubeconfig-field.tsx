import { Button, Input } from 'antd'
import { useRef } from 'react'

import { useText } from '../preferences/text.ts'

type FieldProps = {
  readonly id: string
  readonly value: string
  readonly set: (value: string) => void
}

const ROWS = 10
const LENGTH_MAX = 1024 * 1024

/** A kubeconfig, pasted or read from a file. */
export function KubeconfigField({ id, value, set }: FieldProps) {
  const { text } = useText()
  const picker = useRef<HTMLInputElement>(null)
  return (
    <>
      <Input.TextArea
        id={id}
        className="mono"
        rows={ROWS}
        spellCheck={false}
        autoComplete="off"
        maxLength={LENGTH_MAX}
        value={value}
        onChange={({ target }) => set(target.value)}
      />
      <input
        ref={picker}
        type="file"
        style={{ display: 'none' }}
        tabIndex={-1}
        aria-hidden="true"
        onChange={({ target }) => {
          const file = target.files?.[0]
          // What is too large for a kubeconfig is none; the server would say the same.
          if (file && file.size <= LENGTH_MAX) void file.text().then(set, () => undefined)
          target.value = ''
        }}
      />
      <Button size="small" onClick={() => picker.current?.click()}>
        {text('cluster.kubeconfigFile')}
      </Button>
    </>
  )
}
