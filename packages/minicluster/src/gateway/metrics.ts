/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Beyond this nothing new is counted by name; no honest cluster of one machine has so many routes. */
const SERIES_MAX = 20_000

export type Labels = {
  readonly namespace: string
  readonly route: string
  readonly backend: string
  /** `2xx`, `3xx`, `4xx`, `5xx`. */
  readonly code: string
}
type Series = { readonly labels: Labels; count: number; sumSeconds: number; readonly buckets: number[] }

/** Requests and their durations per route, backend and class of status code. */
export type GatewayMetrics = {
  readonly record: (labels: Labels, seconds: number) => void
  /** Drops what was counted for a route that is no more. */
  readonly forget: (namespace: string, route: string) => void
  /** Lines in the Prometheus text format. */
  readonly text: () => string
}

export function gatewayMetrics(): GatewayMetrics {
  const all = new Map<string, Series>()
  return {
    record(labels, seconds) {
      const key = `${labels.namespace}/${labels.route}/${labels.backend}/${labels.code}`
      let series = all.get(key)
      if (!series) {
        if (all.size >= SERIES_MAX) return
        series = { labels, count: 0, sumSeconds: 0, buckets: BUCKETS.map(() => 0) }
        all.set(key, series)
      }
      series.count += 1
      series.sumSeconds += seconds
      const place = BUCKETS.findIndex((bound) => seconds <= bound)
      if (place >= 0) series.buckets[place] = (series.buckets[place] ?? 0) + 1
    },
    forget(namespace, route) {
      for (const [key, { labels }] of all)
        if (labels.namespace === namespace && labels.route === route) all.delete(key)
    },
    text: () => textOf([...all.values()]),
  }
}

function textOf(series: readonly Series[]): string {
  const requests = 'slipway_gateway_requests_total'
  const duration = 'slipway_gateway_request_duration_seconds'
  const lines = [
    `# HELP ${requests} Requests answered by the gateway.`,
    `# TYPE ${requests} counter`,
    ...series.map((one) => `${requests}{${labelText(one.labels)}} ${one.count}`),
    `# HELP ${duration} Time from the arrival of a request to the end of its answer.`,
    `# TYPE ${duration} histogram`,
  ]
  for (const { labels, count, sumSeconds, buckets } of series) {
    const text = labelText(labels)
    let below = 0
    for (const [index, bound] of BUCKETS.entries()) {
      below += buckets[index] ?? 0
      lines.push(`${duration}_bucket{${text},le="${bound}"} ${below}`)
    }
    lines.push(`${duration}_bucket{${text},le="+Inf"} ${count}`)
    lines.push(`${duration}_sum{${text}} ${sumSeconds}`, `${duration}_count{${text}} ${count}`)
  }
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  // The names are Kubernetes names; nothing in them needs escaping.
  return `namespace="${labels.namespace}",route="${labels.route}",backend="${labels.backend}",code="${labels.code}"`
}
