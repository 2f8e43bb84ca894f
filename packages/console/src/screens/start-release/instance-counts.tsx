import { InputNumber } from 'antd'

import { useText } from '../../preferences/text.ts'
import { Panel } from '../../ui/page.tsx'
import type { Counts } from './plan.ts'

const INSTANCES_MAX = 500

type CountsProps = {
  /** As many as run where nothing is typed. */
  readonly usual: Counts
  readonly counts: Counts
  readonly change: (counts: Counts) => void
}

/** How many Instances of each process the new version ends with. */
export function InstanceCounts({ usual, counts, change }: CountsProps) {
  const { text } = useText()
  const names = Object.keys(usual)
  if (names.length === 0) return null
  const set = (name: string, count: number | null): void => {
    const { [name]: _, ...others } = counts
    change(count === null ? others : { ...others, [name]: count })
  }
  return (
    <Panel title={text('release.instances')}>
      <div className="counts">
        {names.map((name) => (
          <div key={name}>
            <label htmlFor={`count-${name}`}>
              <code>{name}</code>
            </label>
            <InputNumber
              id={`count-${name}`}
              controls={false}
              aria-label={text('release.instancesOf', { process: name })}
              min={0}
              max={INSTANCES_MAX}
              precision={0}
              placeholder={String(usual[name] ?? '')}
              value={counts[name] ?? null}
              onChange={(count) => set(name, count)}
            />
          </div>
        ))}
      </div>
      <p className="soft">{text('release.instancesHelp')}</p>
    </Panel>
  )
}
