import type * as views from '@slipway/contract'

import type { WorkloadPlace } from './model.ts'

export function placeView(place: WorkloadPlace): views.WorkloadPlace {
  const { urls: _, ...shown } = place
  return shown
}
