import { Select } from 'antd'
import { useState } from 'react'

type TagsProps = {
  readonly id?: string
  readonly label?: string
  readonly className?: string
  readonly placeholder?: string
  readonly maxCount?: number
  readonly values: readonly string[]
  /** What is proposed; anything else can be written. */
  readonly known: readonly string[]
  readonly set: (values: string[]) => void
}

/** Several short texts, chosen or written, each with Enter. */
export function Tags({ id, label, className, placeholder, maxCount, values, known, set }: TagsProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <Select<string[]>
      {...(id === undefined ? {} : { id })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(maxCount === undefined ? {} : { maxCount })}
      className={className ?? ''}
      mode="tags"
      // Otherwise the proposals would stay over what stands below until somebody presses elsewhere.
      open={isOpen && known.length > 0}
      onOpenChange={setOpen}
      suffixIcon={null}
      placeholder={placeholder}
      popupMatchSelectWidth={false}
      tokenSeparators={[',', ' ']}
      value={[...values]}
      onChange={(next) => {
        set(next)
        setOpen(false)
      }}
      options={known.map((value) => ({ value }))}
    />
  )
}
