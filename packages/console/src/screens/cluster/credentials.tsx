import { useState } from 'react'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { AgentManifest } from '../../objects/agent-manifest.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Ends } from '../../ui/ends.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { RenewCredentials } from './renew-dialog.tsx'

/** From so many days before its end on, what is not renewed by itself is worth a look. */
const SOON_DAYS = 14

type Open = 'rotate' | 'replace' | 'renew' | 'revoke'
const operations = {
  rotate: 'rotateClusterCredentials',
  replace: 'updateCluster',
  renew: 'renewAgentToken',
  revoke: 'revokeAgentToken',
} as const

/** By what Slipway proves itself to a Cluster, until when, and how that is renewed. */
export function Credentials({ cluster }: { readonly cluster: Cluster }) {
  const { text } = useText()
  const format = useFormat()
  const [open, setOpen] = useState<Open>()
  const { credentials, certificateExpiresAt, clockSkewSeconds } = cluster
  const renewsItself = credentials.kind === 'service-account'
  const offered: readonly Open[] =
    credentials.kind === 'agent'
      ? ['renew', 'revoke']
      : credentials.kind === 'service-account'
        ? ['rotate', 'replace']
        : ['replace']
  return (
    <Panel
      title={text('cluster.credentials')}
      actions={offered.map((what) => (
        <Act key={what} does={operations[what]} danger={what === 'revoke'} onClick={() => setOpen(what)}>
          {text(`cluster.${what}`)}
        </Act>
      ))}
    >
      <Facts
        rows={[
          [text('cluster.credentialsKind'), text(`cluster.credentials.${credentials.kind}`)],
          [
            text('cluster.credentialsEnd'),
            credentials.expiresAt === null ? (
              text(`cluster.credentialsEnd.${credentials.kind}`)
            ) : (
              <Ends key="end" at={credentials.expiresAt} soonDays={renewsItself ? 0 : SOON_DAYS} />
            ),
          ],
          [text('cluster.renewal'), text(`cluster.renewal.${credentials.kind}`)],
          [
            text('cluster.certificateEnds'),
            certificateExpiresAt === null ? (
              text('cluster.certificateUnseen')
            ) : (
              <Ends key="certificate" at={certificateExpiresAt} soonDays={SOON_DAYS} />
            ),
          ],
          [
            text('cluster.clock'),
            clockSkewSeconds === null
              ? '–'
              : text('cluster.clockAhead', { seconds: format.number(clockSkewSeconds) }),
          ],
        ]}
      />
      {open !== undefined && <Ask what={open} cluster={cluster} close={() => setOpen(undefined)} />}
    </Panel>
  )
}

type AskProps = { readonly what: Open; readonly cluster: Cluster; readonly close: () => void }

function Ask({ what, cluster, close }: AskProps) {
  if (what === 'replace') return <RenewCredentials cluster={cluster} close={close} />
  if (what === 'renew') return <Renew cluster={cluster} close={close} />
  return <Simple what={what} cluster={cluster} close={close} />
}

const commands = { rotate: 'rotate-credentials', revoke: 'revoke-agent' } as const

function Simple({ what, cluster, close }: AskProps & { readonly what: keyof typeof commands }) {
  const { text } = useText()
  const change = useChange(operations[what], close)
  return (
    <Dialog
      title={text(`cluster.${what}Title`, { name: cluster.name })}
      confirm={text(`cluster.${what}`)}
      isDanger={what === 'revoke'}
      command={`cluster ${commands[what]} ${cluster.slug}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ cluster: cluster.id })}
    >
      <p>{text(`cluster.${what}Text`)}</p>
    </Dialog>
  )
}

/** A new token for the agent; its manifest is shown this one time. */
function Renew({ cluster, close }: { readonly cluster: Cluster; readonly close: () => void }) {
  const { text } = useText()
  const renew = useChange('renewAgentToken')
  return (
    <Dialog
      title={text('cluster.renewTitle', { name: cluster.name })}
      confirm={text(renew.data ? 'common.close' : 'cluster.renew')}
      command={`cluster renew-agent ${cluster.slug}`}
      isPending={renew.isPending}
      error={renew.error}
      close={close}
      act={() => (renew.data ? close() : renew.mutate({ cluster: cluster.id }))}
      widthPx={720}
    >
      {renew.data ? (
        <AgentManifest slug={cluster.slug} manifest={renew.data.manifest} />
      ) : (
        <p>{text('cluster.renewText')}</p>
      )}
    </Dialog>
  )
}
