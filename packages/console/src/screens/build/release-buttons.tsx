import { Button, Dropdown } from 'antd'

import type { Build } from '@slipway/contract'

import { useAnswer } from '../../data/queries.ts'
import { environmentOf } from '../../objects/workload.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'

/** Goes on to a Release of this Image, in the Environment of one's choice. */
export function ReleaseButtons({ build }: { readonly build: Build }) {
  const { text } = useText()
  const go = useGo()
  const workloads = useAnswer('listWorkloads', { application: build.applicationId, limit: 50 })
  const items = workloads.data?.items ?? []
  const release = (workload: string): void =>
    go(pathTo('startRelease', { workload }, { image: build.image ?? undefined }))
  const [only] = items
  if (items.length === 0) return null
  if (items.length === 1 && only)
    return (
      <Button type="primary" onClick={() => release(only.id)}>
        {text('build.release')}
      </Button>
    )
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: items.map(({ id, name }) => ({ key: id, label: environmentOf(name) })),
        onClick: ({ key }) => release(key),
      }}
    >
      <Button type="primary">{text('build.release')}</Button>
    </Dropdown>
  )
}
