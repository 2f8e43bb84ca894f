import { DownOutlined } from '@ant-design/icons'
import { useParams } from '@tanstack/react-router'
import { Popover } from 'antd'
import { useState } from 'react'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { Icon } from '../ui/icon.tsx'
import { projectChoicesLater } from './later-parts.ts'

/** Shows the Project one is in, and goes to another one; Projects stand below their Organizations. */
export function Switcher() {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const params: { readonly project?: string } = useParams({ strict: false })
  const id = params.project ?? ''
  // A link of the command line has a short name in its place, until it has led to the Project.
  const project = useAnswer('getProject', { project: id }, { enabled: id.startsWith('prj_'), quiet: true })
  const shown = (project.data?.id === id ? project.data.name : undefined) ?? text('switcher.all')
  return (
    <Popover
      trigger="click"
      placement="bottomLeft"
      open={isOpen}
      onOpenChange={setOpen}
      arrow={false}
      destroyOnHidden
      content={
        <projectChoicesLater.Part
          close={() => setOpen(false)}
          waiting={<p className="choices">{text('common.loading')}</p>}
        />
      }
    >
      <button
        type="button"
        className="switcher"
        aria-label={`${shown} · ${text('switcher.label')}`}
        aria-expanded={isOpen}
      >
        <span>{shown}</span>
        <Icon of={DownOutlined} />
      </button>
    </Popover>
  )
}
