import type { CSSProperties } from 'react'

import type { Batch, Release, ReleaseEvent } from '@slipway/contract'
import { releaseText } from '@slipway/messages'

import { toneOfRelease } from '../../objects/release.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText, type Text } from '../../preferences/text.ts'
import { Shape, Status, type Tone } from '../../ui/status.tsx'
import { Duration } from '../../ui/time.tsx'
import { stationsOf, type Gate, type Phase, type Station } from './stations.ts'

const phaseTones: Readonly<Record<Phase, Tone>> = {
  passed: 'good',
  now: 'busy',
  next: 'idle',
  stopped: 'bad',
  skipped: 'idle',
}
const gateTones: Readonly<Record<Gate['phase'], Tone>> = {
  passed: 'good',
  now: 'busy',
  failed: 'bad',
  next: 'idle',
}

type TimelineProps = { readonly release: Release; readonly events: readonly ReleaseEvent[] }

/** The ways on which a version goes into the water: a station per batch, the gates it passes, and how far it has come. */
export function Timeline({ release, events }: TimelineProps) {
  const { text } = useText()
  const format = useFormat()
  const stations = stationsOf(release, events)
  const endTone = release.endedAt === null ? 'idle' : toneOfRelease(release.state)
  return (
    <ol
      className="timeline"
      aria-label={text('release.timeline')}
      style={{ '--batches': stations.length } as CSSProperties}
    >
      <li className="station is-end is-passed">
        <span className="station-mark">
          <Shape tone="good" sizePx={16} />
        </span>
        <h3>{text('release.origin')}</h3>
        <p className="soft number">{format.clockTime(release.createdAt)}</p>
      </li>
      {stations.map((station) => (
        <BatchStation key={station.index} station={station} release={release} />
      ))}
      <li className={`station is-end is-${release.endedAt === null ? 'next' : 'passed'}`}>
        <span className="station-mark">
          <Shape tone={endTone} sizePx={16} />
        </span>
        <h3>{release.endedAt === null ? text('release.finish') : text(`release.state.${release.state}`)}</h3>
        {release.endedAt !== null && (
          <p className="soft number">
            {format.clockTime(release.endedAt)} ·{' '}
            <Duration from={release.createdAt} until={release.endedAt} />
          </p>
        )}
      </li>
    </ol>
  )
}

type StationProps = { readonly station: Station; readonly release: Release }

function BatchStation({ station, release }: StationProps) {
  const { text } = useText()
  const { index, batch, phase, gates, startedAt, endedAt } = station
  const waits = phase === 'now' && (release.state === 'WaitPerson' || release.state === 'Held')
  const tone = waits ? toneOfRelease(release.state) : phaseTones[phase]
  return (
    <li className={`station is-${phase}`} aria-current={phase === 'now' ? 'step' : undefined}>
      <span className="station-mark">
        <Shape tone={tone} sizePx={16} />
      </span>
      <div className="station-head">
        <h3>{text('release.batch', { number: index + 1 })}</h3>
        <span className={`tone-${tone}`}>{phaseText(text, phase, release)}</span>
      </div>
      <p className="station-share">{shareOf(text, batch)}</p>
      {phase === 'now' && <NowPips release={release} />}
      <ul className="gates">
        {gates.map((gate) => (
          <GateLine key={gate.kind} gate={gate} batch={batch} waits={waits} />
        ))}
      </ul>
      {startedAt !== undefined && (
        <p className="soft station-time">
          <Duration from={startedAt} until={phase === 'now' ? null : (endedAt ?? release.endedAt)} />
        </p>
      )}
    </li>
  )
}

function phaseText(text: Text, phase: Phase, release: Release): string {
  if (phase === 'now') return release.paused ? text('release.paused') : text(`release.state.${release.state}`)
  if (phase === 'passed') return text('release.batchDone')
  return phase === 'stopped' ? text('release.batchStopped') : text('release.batchNext')
}

function shareOf(text: Text, batch: Batch): string {
  const parts = [
    batch.instances === undefined
      ? text('release.batchShare', { percent: batch.percent ?? 100 })
      : text('release.batchInstances', { count: batch.instances }),
    ...(batch.weight === undefined ? [] : [text('release.batchWeight', { weight: batch.weight })]),
    ...(batch.header === undefined ? [] : [text('release.batchHeader', { header: batch.header })]),
  ]
  return parts.join(' · ')
}

/** The new version's Instances, each one a mark that fills when it is ready. */
function NowPips({ release }: { readonly release: Release }) {
  const { text } = useText()
  const { newReady, newWanted } = release.counts
  const label = text('release.instancesReady', { ready: newReady, wanted: newWanted })
  return (
    <p className="pips" role="img" aria-label={label} title={label}>
      {Array.from({ length: Math.min(newWanted, 60) }, (_, index) => (
        <span key={index} className={index < newReady ? 'pip tone-good' : 'pip tone-busy'} />
      ))}
    </p>
  )
}

type GateProps = { readonly gate: Gate; readonly batch: Batch; readonly waits: boolean }

function GateLine({ gate, batch, waits }: GateProps) {
  const { text, language } = useText()
  const format = useFormat()
  const { kind, phase, evidence } = gate
  const tone = kind === 'person' && phase === 'now' && waits ? 'wait' : gateTones[phase]
  return (
    <li>
      <Status tone={tone}>
        {kind === 'soak'
          ? text('release.gate.soak', { seconds: batch.soakSeconds })
          : text(`release.gate.${kind}`)}
      </Status>
      {evidence && (
        <small>
          {kind === 'person'
            ? `${text(evidence.code === 'approved' ? 'release.gate.approvedBy' : 'release.gate.rejectedBy', { name: evidence.actor })}${commentOf(evidence)}`
            : releaseText(language, evidence.code, evidence.params)}
          {' · '}
          <time dateTime={evidence.at} title={format.absolute(evidence.at)}>
            {format.clockTime(evidence.at)}
          </time>
        </small>
      )}
    </li>
  )
}

function commentOf(evidence: ReleaseEvent): string {
  const { comment } = evidence.params
  return typeof comment === 'string' && comment !== '' ? ` · “${comment}”` : ''
}
