import type { DrainEffect, DrainPreview } from '@slipway/contract'
import { errorText } from '@slipway/messages'
import { Form, InputNumber } from 'antd'
import { useState } from 'react'

import { useAnswer, useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Shape } from '../../ui/status.tsx'

const MINUTE_SECONDS = 60
const MINUTES_DEFAULT = 60
const MINUTES_MAX = 1_440

type DialogProps = {
  readonly cluster: string
  readonly slug: string
  readonly node: string
  readonly close: () => void
}

/** Lets every Instance leave a node, after showing whom that concerns. */
export function DrainDialog({ cluster, slug, node, close }: DialogProps) {
  const { text } = useText()
  const [minutes, setMinutes] = useState(MINUTES_DEFAULT)
  const preview = useAnswer('getDrainPreview', { cluster, node })
  const drain = useChange('startDrain', close)
  return (
    <Dialog
      title={text('drain.title', { name: node })}
      confirm={text('drain.start')}
      isDanger
      command={`node drain ${slug} ${node}`}
      isPending={drain.isPending}
      error={drain.error}
      close={close}
      act={() => drain.mutate({ cluster, node, timeoutSeconds: minutes * MINUTE_SECONDS })}
      widthPx={760}
    >
      <p>{text('drain.text')}</p>
      <Loaded of={preview}>{(found) => <Preview preview={found} />}</Loaded>
      <Form layout="vertical" component="div">
        <Form.Item label={text('drain.minutes')} extra={text('drain.minutesHelp')} htmlFor="drain-minutes">
          <InputNumber
            id="drain-minutes"
            controls={false}
            min={1}
            max={MINUTES_MAX}
            precision={0}
            value={minutes}
            onChange={(value) => setMinutes(value ?? MINUTES_DEFAULT)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}

function Preview({ preview }: { readonly preview: DrainPreview }) {
  const { text } = useText()
  const { otherNodes, effects, builds, others } = preview
  return (
    <>
      {otherNodes === 0 && (
        <p className="notice">
          <Shape tone="warn" /> {text('drain.nowhere')}
        </p>
      )}
      {effects.length === 0 ? (
        <p className="soft">{text('drain.nobody')}</p>
      ) : (
        <Effects effects={effects} isStuck={otherNodes === 0} />
      )}
      <p className="soft">
        {text('drain.builds', { count: builds })} {text('drain.others', { count: others })}
      </p>
    </>
  )
}

type EffectsProps = { readonly effects: readonly DrainEffect[]; readonly isStuck: boolean }

function Effects({ effects, isStuck }: EffectsProps) {
  const { text, language } = useText()
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{text('cluster.workload')}</th>
            <th scope="col">{text('instance.process')}</th>
            <th scope="col">{text('drain.here')}</th>
            <th scope="col">{text('drain.everywhere')}</th>
            <th scope="col">{text('drain.what')}</th>
          </tr>
        </thead>
        <tbody>
          {effects.map(({ workload, process, version, instances, ready, wanted, interrupted, why }) => (
            <tr key={`${workload.id} ${process} ${version}`}>
              <td>
                <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>
              </td>
              <td>
                <code>{process}</code>
              </td>
              <td className="number">{instances}</td>
              <td className="number">{text('workload.instancesShort', { ready, wanted })}</td>
              <td>
                {interrupted ? (
                  <>
                    <Shape tone="bad" /> {text('drain.interrupted')}
                  </>
                ) : why !== null || isStuck ? (
                  <>
                    <Shape tone="warn" />{' '}
                    {why === null ? text('drain.stuck') : errorText(language, why.code, why.params)}
                  </>
                ) : (
                  <>
                    <Shape tone="good" /> {text('drain.moves')}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
