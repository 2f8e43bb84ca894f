import type { Release } from '@slipway/contract'

import { useAnswer } from '../../data/queries.ts'
import { ReleaseDiffTable } from '../../objects/release-diff.tsx'
import { useText } from '../../preferences/text.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Panel } from '../../ui/page.tsx'

/** What this Release changes against the one that served before it. */
export function DiffPanel({ release }: { readonly release: Release }) {
  const { text } = useText()
  const diff = useAnswer('getReleaseDiff', { release: release.id })
  return (
    <Panel title={text('release.diff')}>
      <Loaded of={diff}>
        {(found) =>
          found.from === null ? (
            <p className="soft">{text('release.diffFirst')}</p>
          ) : (
            <ReleaseDiffTable diff={found} />
          )
        }
      </Loaded>
    </Panel>
  )
}
