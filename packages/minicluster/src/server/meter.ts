import type { IncomingMessage } from 'node:http'

import { definitions } from '../registry/resources.ts'
import type { Store } from '../store/index.ts'
import { findDefinition, parsePath } from './route.ts'
import type { WatchHub } from './watch.ts'

/** Counts requests for `/metrics`. Labels take their values from fixed sets, so that no client can make them many. */
export type RequestMeter = {
  /** Call the result with the status code when the request is over. */
  readonly begin: (request: IncomingMessage) => (code: number) => void
  readonly text: () => string
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

export function requestMeter(store: Store, watches: WatchHub): RequestMeter {
  const counts = new Map<string, number>()
  let inFlight = 0
  return {
    begin(request) {
      inFlight += 1
      const verb = METHODS.has(request.method ?? '') ? (request.method ?? '') : 'other'
      const place = parsePath(request.url?.split('?')[0] ?? '/')
      const resource = place && 'api' in place ? (findDefinition(place.api)?.plural ?? 'other') : ''
      return (code) => {
        inFlight -= 1
        const labels = `verb="${verb}",resource="${resource}",code="${code}"`
        counts.set(labels, (counts.get(labels) ?? 0) + 1)
      }
    },
    text() {
      const lines = [
        '# HELP apiserver_request_total Requests answered.',
        '# TYPE apiserver_request_total counter',
        ...[...counts].map(([labels, count]) => `apiserver_request_total{${labels}} ${count}`),
        '# HELP apiserver_current_inflight_requests Requests under way, watches included.',
        '# TYPE apiserver_current_inflight_requests gauge',
        `apiserver_current_inflight_requests ${inFlight}`,
        '# HELP apiserver_longrunning_requests Watches under way.',
        '# TYPE apiserver_longrunning_requests gauge',
        `apiserver_longrunning_requests{verb="WATCH"} ${watches.count()}`,
        '# HELP apiserver_storage_objects Objects kept.',
        '# TYPE apiserver_storage_objects gauge',
        ...definitions
          .filter(({ group }) => group !== 'events.k8s.io')
          .map(({ resource, group, plural }) => {
            const label = group === '' ? plural : `${plural}.${group}`
            return `apiserver_storage_objects{resource="${label}"} ${store.count(resource)}`
          }),
        '# HELP process_resident_memory_bytes Resident memory of the process.',
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      ]
      return `${lines.join('\n')}\n`
    },
  }
}
