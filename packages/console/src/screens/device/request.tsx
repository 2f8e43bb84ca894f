import type { DeviceSignIn } from '@slipway/contract'
import { ApiError } from '@slipway/sdk'
import { Button } from 'antd'
import type { ReactNode } from 'react'

import { useAnswer, useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { Refusal } from '../../ui/refusal.tsx'
import { Shape, type Tone } from '../../ui/status.tsx'
import { Time, useNow } from '../../ui/time.tsx'

type RequestProps = { readonly code: string; readonly other: () => void }

/** What asks under a code, and the answer to it. Once answered the code is used up, so the answer itself is kept here. */
export function Request({ code, other }: RequestProps) {
  const asked = useAnswer('getDeviceSignIn', { code })
  const approve = useChange('approveDeviceSignIn')
  const deny = useChange('denyDeviceSignIn')
  const decided = approve.data ?? deny.data
  const now = useNow()
  if (decided) return <Decided state={decided.state} client={decided.client} />
  if (isUnknown(asked.error)) return <Unknown code={code} other={other} />
  return (
    <Loaded of={asked}>
      {(found) => {
        if (found.state !== 'pending') return <Decided state={found.state} client={found.client} />
        if (new Date(found.expiresAt) <= now) return <Unknown code={code} other={other} />
        return (
          <Question
            asked={found}
            isPending={approve.isPending || deny.isPending}
            error={approve.error ?? deny.error}
            approve={() => approve.mutate({ code })}
            deny={() => deny.mutate({ code })}
          />
        )
      }}
    </Loaded>
  )
}

function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'not_found'
}

type QuestionProps = {
  readonly asked: DeviceSignIn
  readonly isPending: boolean
  readonly error: unknown
  readonly approve: () => void
  readonly deny: () => void
}

function Question({ asked, isPending, error, approve, deny }: QuestionProps) {
  const { text } = useText()
  return (
    <Panel title={text('device.question')}>
      <div className="device">
        <p className="device-code">
          <span>{text('device.compare')}</span>
          <code>{asked.userCode}</code>
        </p>
        <Facts
          rows={[
            [text('device.client'), <code key="client">{asked.client}</code>],
            [text('device.address'), <code key="address">{asked.address}</code>],
            [text('device.since'), <Time key="since" at={asked.createdAt} />],
          ]}
        />
        <Notice tone={asked.sameAddress ? 'wait' : 'warn'}>
          {text(asked.sameAddress ? 'device.mind' : 'device.otherAddress')}
        </Notice>
        <Refusal error={error} />
        <div className="device-actions">
          <Button type="primary" loading={isPending} onClick={approve}>
            {text('device.approve')}
          </Button>
          <Button disabled={isPending} onClick={deny}>
            {text('device.deny')}
          </Button>
        </div>
      </div>
    </Panel>
  )
}

function Decided({ state, client }: Pick<DeviceSignIn, 'state' | 'client'>) {
  const { text } = useText()
  const isApproved = state === 'approved'
  return (
    <Panel title={text(isApproved ? 'device.approved' : 'device.denied')}>
      <Notice tone={isApproved ? 'good' : 'idle'}>
        {text(isApproved ? 'device.approvedText' : 'device.deniedText')} <code>{client}</code>
      </Notice>
    </Panel>
  )
}

/** A code that nobody waits for: wrong, used up, or too old; the platform does not tell which. */
function Unknown({ code, other }: RequestProps) {
  const { text } = useText()
  return (
    <Panel title={text('device.unknown')}>
      <div className="device">
        <Notice tone="warn">
          <code>{code}</code> {text('device.unknownText')}
        </Notice>
        <div className="device-actions">
          <Button autoFocus onClick={other}>
            {text('device.other')}
          </Button>
        </div>
      </div>
    </Panel>
  )
}

function Notice({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <div className={`notice tone-border-${tone}`} role="status">
      <Shape tone={tone} sizePx={14} />
      <p>{children}</p>
    </div>
  )
}
