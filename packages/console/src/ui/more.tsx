import { Button } from 'antd'

import { useText } from '../preferences/text.ts'
import type { Rows } from './grid/grid.tsx'

type MoreProps = { readonly of: Pick<Rows<unknown>, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'> }

/** Asks for the next page of a short list; nothing when there is none. */
export function More({ of: { hasNextPage, isFetchingNextPage, fetchNextPage } }: MoreProps) {
  const { text } = useText()
  if (!hasNextPage) return null
  return (
    <p className="below">
      <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {text('common.more')}
      </Button>
    </p>
  )
}
