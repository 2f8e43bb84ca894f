import { systemClock, waitFor } from '@slipway/kit'
import type { TestPlatform, TestWorkload } from '@slipway/testkit'

/* What tests of releases do again and again, through the HTTP API. */
export type ShownRelease = {
  readonly id: string
  readonly state: string
  readonly batch: number
  readonly weight: number
  readonly counts: Readonly<Record<'newReady' | 'newWanted' | 'oldReady' | 'oldWanted', number>>
  readonly reason: {
    readonly code: string
    readonly params: Readonly<Record<string, unknown>>
  } | null
}

// An Instance that has ended five times begins again only after 80 s.
const WAIT = { timeoutMs: 150_000 }

export function releasing(platform: TestPlatform, secret: string) {
  const post = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await platform.call('POST', path, { secret, ...(body === undefined ? {} : { body }) })
    if (answer.status !== 202)
      throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const read = async (id: string): Promise<ShownRelease> =>
    (await platform.call('GET', `/v1/releases/${id}`, { secret })).body as unknown as ShownRelease
  const until = async (
    id: string,
    what: string,
    isThere: (release: ShownRelease) => boolean,
  ): Promise<ShownRelease> => {
    let last: ShownRelease | undefined
    const look = async (): Promise<ShownRelease | undefined> => {
      last = await read(id)
      return isThere(last) ? last : undefined
    }
    try {
      return await waitFor(systemClock, what, look, WAIT)
    } catch (thrown) {
      throw new Error(`${String(thrown)}: ${JSON.stringify(last)}`, { cause: thrown })
    }
  }
  return {
    post,
    read,
    start: async (one: TestWorkload, image: string, more: Readonly<Record<string, unknown>> = {}) =>
      String((await post(`/v1/workloads/${one.workloadId}/releases`, { image, ...more }))['id']),
    /** Waits until a release is as wanted. */
    until,
    reaches: (id: string, state: string): Promise<ShownRelease> =>
      until(id, `release to reach ${state}`, (release) => release.state === state),
    /** What answers at the Workload's own address. */
    ask: async (one: TestWorkload): Promise<string> => {
      const { body } = await platform.call('GET', `/v1/workloads/${one.workloadId}`, { secret })
      const response = await fetch(String((body['urls'] as string[]).at(-1)))
      return response.status === 200 ? response.text() : `HTTP ${response.status}`
    },
  }
}
