import type { WorkloadHealth } from '@slipway/contract'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import type { Crumb } from '../ui/page.tsx'
import { Status, type Tone } from '../ui/status.tsx'

const tones: Readonly<Record<WorkloadHealth, Tone>> = {
  Down: 'bad',
  Degraded: 'warn',
  Unknown: 'warn',
  Healthy: 'good',
  Stopped: 'idle',
  Unreleased: 'idle',
}

export function HealthStatus({ health }: { readonly health: WorkloadHealth }) {
  const { text } = useText()
  return <Status tone={tones[health]}>{text(`workload.health.${health}`)}</Status>
}

/** What stands above a Workload: its Application. */
export function useApplicationTrail(applicationId: string | undefined): readonly Crumb[] {
  const { text } = useText()
  const application = useAnswer(
    'getApplication',
    { application: applicationId ?? '' },
    { enabled: applicationId !== undefined },
  )
  const top = { label: text('application.list'), to: pathTo('applications') }
  if (!application.data) return [top]
  return [
    top,
    { label: application.data.name, to: pathTo('application', { application: application.data.id }) },
  ]
}

/** What stands above everything of a Workload: its Application, and itself by its Environment's name. */
export function useWorkloadTrail(
  workload: { readonly id: string; readonly name: string; readonly applicationId: string } | undefined,
): readonly Crumb[] {
  const above = useApplicationTrail(workload?.applicationId)
  if (!workload) return above
  return [
    ...above,
    { label: environmentOf(workload.name), to: pathTo('workload', { workload: workload.id }) },
  ]
}

/** The last part of `project/application/environment`. */
export function environmentOf(name: string): string {
  return name.split('/').at(-1) ?? name
}
