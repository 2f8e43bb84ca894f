import type { ClientRequest, IncomingMessage } from 'node:http'

/** What is kept of a body so that it can be sent again. */
const KEEP_BYTES_MAX = 64 * 1024

/** The body of a request on its way to an instance; small ones can be sent to another one again. */
export type RequestBody = {
  readonly exists: boolean
  /** True while everything read so far is still in hand. */
  readonly isReplayable: () => boolean
  /** Sends what is kept and then the rest as it comes, no faster than the instance takes it. */
  readonly sendTo: (upstream: ClientRequest) => void
  /** Stops sending to an instance that has answered or failed. */
  readonly detach: (upstream: ClientRequest) => void
}

export function bodyOf(request: IncomingMessage): RequestBody {
  const { headers } = request
  const exists = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  const kept: Buffer[] = []
  let keptBytes = 0
  let isKept = true
  let hasEnded = false
  let target: ClientRequest | undefined

  if (exists) {
    request.on('data', (chunk: Buffer) => {
      keep(chunk)
      // Without a target (between two attempts) the data waits: it was kept, or reading is paused.
      if (target && !target.destroyed && !target.write(chunk)) request.pause()
    })
    request.once('end', () => {
      hasEnded = true
      target?.end()
    })
    request.pause()
  }

  function keep(chunk: Buffer): void {
    if (!isKept) return
    keptBytes += chunk.length
    if (keptBytes <= KEEP_BYTES_MAX) {
      kept.push(chunk)
      return
    }
    isKept = false
    kept.length = 0
  }

  return {
    exists,
    isReplayable: () => !exists || isKept,
    sendTo(upstream) {
      if (!exists) {
        upstream.end()
        return
      }
      target = upstream
      upstream.on('drain', () => {
        if (target === upstream) request.resume()
      })
      for (const chunk of kept) upstream.write(chunk)
      if (hasEnded) upstream.end()
      else request.resume()
    },
    detach(upstream) {
      if (target !== upstream) return
      target = undefined
      if (!hasEnded) request.pause()
    },
  }
}
