import { CloseCircleOutlined, SearchOutlined } from '@ant-design/icons'
import { systemClock } from '@slipway/kit'
import { Input } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { SETTLE_MS } from '../data/search.ts'
import { useText } from '../preferences/text.ts'
import { Icon } from './icon.tsx'

type FilterProps = {
  readonly label: string
  readonly value: string
  readonly change: (value: string) => void
}

/** A text that narrows a list; `/` leads here. Characters that an input method is still composing do not count yet. */
export function Filter({ label, value, change }: FilterProps) {
  const { text } = useText()
  const [typed, setTyped] = useState(value)
  const isComposing = useRef(false)
  const latest = useRef(change)
  latest.current = change
  useEffect(() => setTyped(value), [value])
  useEffect(() => {
    if (typed === value || isComposing.current) return
    const settled = systemClock.after(SETTLE_MS, () => latest.current(typed.trim()))
    return () => settled[Symbol.dispose]()
  }, [typed, value])
  return (
    <Input
      data-filter
      allowClear={{
        clearIcon: (
          <>
            <Icon of={CloseCircleOutlined} />
            <span className="visually-hidden">{text('common.clear')}</span>
          </>
        ),
      }}
      prefix={<Icon of={SearchOutlined} />}
      aria-label={label}
      placeholder={label}
      value={typed}
      maxLength={100}
      onCompositionStart={() => (isComposing.current = true)}
      onCompositionEnd={(event) => {
        isComposing.current = false
        setTyped(event.currentTarget.value)
      }}
      onChange={(event) => setTyped(event.target.value)}
    />
  )
}
