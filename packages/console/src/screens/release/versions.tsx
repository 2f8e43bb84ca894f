import type { Release } from '@slipway/contract'

import { useText } from '../../preferences/text.ts'
import { Code, shortDigest } from '../../ui/copy.tsx'
import { Panel } from '../../ui/page.tsx'

const PIPS_MAX = 200

/** Old and new version side by side: Instances and share of the traffic. */
export function Versions({ release }: { readonly release: Release }) {
  const { text } = useText()
  const { counts, weight } = release
  return (
    <Panel
      title={text('release.versions')}
      beside={<Code value={release.image} shown={shortDigest(release.image)} />}
    >
      <div className="versions">
        <Version
          label={text('release.old')}
          className="is-old"
          weight={100 - weight}
          ready={counts.oldReady}
          wanted={counts.oldWanted}
        />
        <Version
          label={text('release.new')}
          className="is-new"
          weight={weight}
          ready={counts.newReady}
          wanted={counts.newWanted}
        />
      </div>
      <div
        className="traffic"
        role="img"
        aria-label={`${text('release.traffic')}: ${text('release.trafficNew', { weight })}`}
      >
        <span className="traffic-new" style={{ width: `${weight}%` }} />
      </div>
    </Panel>
  )
}

type VersionProps = {
  readonly label: string
  readonly className: string
  readonly weight: number
  readonly ready: number
  readonly wanted: number
}

function Version({ label, className, weight, ready, wanted }: VersionProps) {
  const { text } = useText()
  return (
    <div className={`version ${className}`}>
      <p>
        <strong>{label}</strong>{' '}
        <span className="number">
          {text('release.traffic')} {weight} %
        </span>
      </p>
      <p className="soft">{text('release.instancesReady', { ready, wanted })}</p>
      <p className="pips" aria-hidden="true">
        {Array.from({ length: Math.min(wanted, PIPS_MAX) }, (_, index) => (
          <span key={index} className={index < ready ? 'pip is-full' : 'pip'} />
        ))}
      </p>
    </div>
  )
}
