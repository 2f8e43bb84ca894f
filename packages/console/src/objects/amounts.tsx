import type { ReactNode } from 'react'

import { useFormat } from '../preferences/format.ts'
import { useText } from '../preferences/text.ts'
import { Share } from '../ui/share.tsx'

type Amount = { readonly cpuCores: number; readonly memoryBytes: number }
type Part = {
  readonly key: keyof Amount
  readonly what: string
  readonly shown: (value: number) => string
}

/** What nodes have and Instances take of them: its name, and how an amount of it is written. */
export function useParts(): readonly Part[] {
  const { text } = useText()
  const format = useFormat()
  return [
    { key: 'cpuCores', what: text('instance.cpu'), shown: format.cores },
    { key: 'memoryBytes', what: text('instance.memory'), shown: format.bytes },
  ]
}

type Amounts = {
  readonly capacity: Amount
  readonly requested: Amount
  /** Null where nobody measures. */
  readonly use: Amount | null
}

/** How much of each part is asked for and used, as rows of facts. */
export function useAmounts({ capacity, requested, use }: Amounts): readonly (readonly [string, ReactNode])[] {
  const { text } = useText()
  const parts = useParts()
  return parts.flatMap(({ key, what, shown }) =>
    (
      [
        ['node.asked', requested],
        ['node.used', use],
      ] as const
    ).map(([said, taken]) => {
      const label = text(said, { what })
      const share = taken && (
        <Share key={label} label={label} part={taken[key]} whole={capacity[key]} shown={shown} />
      )
      return [label, share ?? '–'] as const
    }),
  )
}
