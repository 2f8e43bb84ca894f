import { Button } from 'antd'

import { useText } from '../../preferences/text.ts'

type NewRowsProps = { readonly of: { readonly waiting: number; readonly release: () => void } }

/** Says how many rows wait for the pointer to go, and lets them in. Nothing when none wait. */
export function NewRows({ of: { waiting, release } }: NewRowsProps) {
  const { text } = useText()
  if (waiting === 0) return null
  return (
    <Button type="link" size="small" onClick={release}>
      {text('grid.new', { count: waiting })}
    </Button>
  )
}
