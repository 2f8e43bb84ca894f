import { MINUTE_MS, retryDelayMs, SECOND_MS, systemClock, systemRandom } from '@slipway/kit'
import { ApiError, type Socket } from '@slipway/sdk'

import { api } from '../data/client.ts'
import { isUnreachable } from '../data/connection.ts'
import { arrivedOf, inputMessages, sizeMessage, type TerminalSize } from './channels.ts'
import type { FromFrame, Refused } from './messages.ts'

/*
 * One shell after the other in one Instance. A shell ends with its connection, so when the server was lost a new one is opened
 * as soon as it answers again, and the terminal says so; when the server answers that one may not, it stays closed.
 */

type Place = { readonly instance: string; readonly container: string | undefined }
type Screen = {
  readonly size: () => TerminalSize
  /** Resolves when it is drawn, so that a flood of output waits outside. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly clearInput: () => void
}

export type TerminalConnection = {
  readonly send: (bytes: Uint8Array) => void
  readonly resize: (size: TerminalSize) => void
  readonly close: () => void
}

/** More input than this that the server has not taken yet is passed over, as a terminal does that beeps. */
const WAITING_MAX_BYTES = 4 * 1024 * 1024
const LOST = 1_006

/** Opens a shell and keeps one open until it ends or is closed. */
export function connectTerminal(
  place: Place,
  screen: Screen,
  tell: (message: FromFrame) => void,
): TerminalConnection {
  const ending = new AbortController()
  let socket: Socket | undefined
  void keepOpen().catch((thrown: unknown) => {
    if (!ending.signal.aborted) tell({ kind: 'refused', refused: refusedOf(thrown) })
  })

  async function keepOpen(): Promise<void> {
    for (;;) {
      tell({ kind: 'opening' })
      const end = await runShell().catch((thrown: unknown) => {
        if (isUnreachable(thrown)) return 'lost' as const
        throw thrown
      })
      if (ending.signal.aborted || end === 'over') return
      tell({ kind: 'lost' })
      await untilAnswered(place, ending.signal)
      screen.clearInput()
    }
  }

  async function runShell(): Promise<'over' | 'lost'> {
    const { columns, rows } = screen.size()
    const { container } = place
    const request = {
      instance: place.instance,
      columns,
      rows,
      ...(container === undefined ? {} : { container }),
    }
    using opened = await api.openTerminal(request, { signal: ending.signal })
    socket = opened
    tell({ kind: 'open' })
    let isOver = false
    for await (const message of opened) {
      const arrived = arrivedOf(message)
      if (arrived.kind === 'output') await screen.write(arrived.bytes)
      else if (arrived.kind === 'ended') tell({ kind: 'ended', exitCode: arrived.exitCode })
      else if (arrived.kind === 'failed')
        throw new ApiError(arrived.code, {
          status: 409,
          message: arrived.message,
          params: { problem: arrived.message },
        })
      isOver ||= arrived.kind === 'ended'
    }
    socket = undefined
    const { code, reason } = await opened.closed
    if (isOver || ending.signal.aborted) return 'over'
    if (code === LOST) return 'lost'
    if (code === 1_011) throw new ApiError(reason, { status: 500 })
    tell({ kind: 'closed' })
    return 'over'
  }

  return {
    send(bytes) {
      if (!socket || socket.waitingBytes() > WAITING_MAX_BYTES) return
      for (const message of inputMessages(bytes)) socket.send(message)
    },
    resize: (size) => socket?.send(sizeMessage(size)),
    close() {
      ending.abort(new Error('closed'))
      socket?.close()
      tell({ kind: 'closed' })
    },
  }
}

/** Resolves when the server would let one open a terminal. @throws {ApiError} when it answers that one may not */
async function untilAnswered(place: Place, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const waitMs = retryDelayMs(attempt, systemRandom, { firstMs: SECOND_MS, maxMs: MINUTE_MS / 4 })
    await systemClock.sleep(waitMs, signal)
    try {
      // Asked without a WebSocket, the same address says why it would not open, or that it needs one.
      await api.call('openTerminal', { instance: place.instance }, { signal })
      return
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 'upgrade_needed') return
      if (!isUnreachable(thrown)) throw thrown
    }
  }
}

function refusedOf(thrown: unknown): Refused {
  if (!(thrown instanceof ApiError))
    return { code: 'console_fault', status: 0, message: '', requestId: '', params: {} }
  const { code, status, message, requestId } = thrown
  const params = Object.fromEntries(
    Object.entries(thrown.params).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? [[name, value]]
        : [],
    ),
  )
  return { code, status, message, requestId, params }
}
