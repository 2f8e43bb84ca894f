import { Dropdown } from 'antd'

import type { Build } from '@slipway/contract'

import { useAnswer } from '../../data/queries.ts'
import { environmentOf } from '../../objects/workload.tsx'
import { Guarded, useLack } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'

/** Goes on to a Release of this Image, in the Environment of one's choice. */
export function ReleaseButtons({ build }: { readonly build: Build }) {
  const { text } = useText()
  const go = useGo()
  const workloads = useAnswer('listWorkloads', { application: build.applicationId, limit: 50 })
  const lack = useLack('startRelease', { application: build.applicationId })
  const items = workloads.data?.items ?? []
  const release = (workload: string): void =>
    go(pathTo('startRelease', { workload }, { image: build.image ?? undefined }))
  const [only] = items
  if (items.length === 0) return null
  if (items.length === 1 && only)
    return (
      <Guarded lack={lack} type="primary" onClick={() => release(only.id)}>
        {text('build.release')}
      </Guarded>
    )
  const button = (
    <Guarded lack={lack} type="primary">
      {text('build.release')}
    </Guarded>
  )
  if (lack !== undefined) return button
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: items.map(({ id, name }) => ({ key: id, label: environmentOf(name) })),
        onClick: ({ key }) => release(key),
      }}
    >
      {button}
    </Dropdown>
  )
}
