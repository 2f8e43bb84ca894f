import { ArrowRightOutlined } from '@ant-design/icons'

import type { Instance, Workload, WorkloadState } from '@slipway/contract'
import { instanceText } from '@slipway/messages'

import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { toneOfInstance } from '../../objects/instance.tsx'
import { Icon } from '../../ui/icon.tsx'

type WayProps = {
  readonly workload: Workload
  readonly state: WorkloadState | undefined
  readonly instances: readonly Instance[]
}

/** From the address over the route to the processes and their Instances, each one a mark. */
export function Way({ workload, state, instances }: WayProps) {
  const { text, language } = useText()
  const processes = [...new Set(['web', ...instances.map(({ process }) => process)])].filter(
    (process) =>
      process !== 'web' || instances.some((one) => one.process === 'web') || instances.length === 0,
  )
  const [address] = workload.urls
  const weights = weightsOf(state)
  return (
    <div className="way">
      {address !== undefined && (
        <>
          <div className="way-step">
            <small>{text('workload.address')}</small>
            <code>{new URL(address).host}</code>
          </div>
          <Icon of={ArrowRightOutlined} />
          <div className="way-step">
            <small>{text('workload.route')}</small>
            <span>
              {weights.map(({ number, weight }) => (
                <span key={number} className="way-weight">
                  {text('release.one', { number })} {weight} %
                </span>
              ))}
            </span>
          </div>
          <Icon of={ArrowRightOutlined} />
        </>
      )}
      <div className="way-processes">
        {processes.map((process) => {
          const own = instances.filter((one) => one.process === process)
          return (
            <div key={process} className="way-step">
              <small>
                <code>{process}</code>{' '}
                {text('workload.ready', {
                  ready: own.filter(({ ready }) => ready).length,
                  wanted: own.length,
                })}
              </small>
              <Go
                to={pathTo('workloadInstances', { workload: workload.id }, { process })}
                className="pips"
                {...(own.length === 0 ? {} : { label: text('workload.instances') })}
              >
                {own.map(({ id, name, state: at, releaseNumber }) => (
                  <span
                    key={id}
                    className={`pip tone-${toneOfInstance(at)}`}
                    title={`${name} · ${instanceText(language, at, {})} · ${releaseNumber ?? ''}`}
                  />
                ))}
                {own.length === 0 && text('workload.noInstances')}
              </Go>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** Which Releases the route leads to, and how much of the traffic each gets. */
function weightsOf(state: WorkloadState | undefined): readonly { number: number; weight: number }[] {
  const { active, serving } = state ?? {}
  if (!active) return serving ? [{ number: serving.number, weight: 100 }] : []
  const fresh = { number: active.number, weight: active.weight }
  return serving && serving.number !== active.number
    ? [{ number: serving.number, weight: 100 - active.weight }, fresh]
    : [fresh]
}
