import { systemClock } from '@slipway/kit'
import { watchChanges } from '@slipway/sdk'

import { api } from '../client.ts'
import { signalStore } from '../store.ts'
import { hubOf, type FromTab, type ToTab } from './hub.ts'

/** Whether changes are being told: then nothing has to be asked for again and again. */
export const isLive = signalStore(false)

export type Listener = (message: ToTab) => void

let say: ((message: FromTab) => void) | undefined
let mustRestart = false

/** Begins to listen to what changes, over the one stream that all tabs share. Once for a page. */
export function listenToChanges(listener: Listener): void {
  const hear = (message: ToTab): void => {
    if (message.kind === 'state') isLive.set(message.isLive)
    listener(message)
  }
  const join = 'SharedWorker' in window ? shared(hear) : alone(hear)
  say = join
  join('join')
  if (mustRestart) join('restart')
  window.addEventListener('pagehide', () => join('leave'))
  // A page that comes back from the browser's memory has missed what was told meanwhile.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return
    hear({ kind: 'reset', types: null })
    join('join')
  })
}

/** The server answers again, or (`restart`) somebody else may be asking. */
export function tellHub(message: 'retry' | 'restart'): void {
  if (say) say(message)
  else if (message === 'restart') mustRestart = true
}

function shared(hear: Listener): (message: FromTab) => void {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'slipway',
  })
  // Where the worker cannot run, nothing is told, and the screens ask slowly.
  worker.addEventListener('error', () => isLive.set(false))
  worker.port.addEventListener('message', ({ data }: MessageEvent<ToTab>) => hear(data))
  worker.port.start()
  // A port has one other end.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  return (message) => worker.port.postMessage(message)
}

/** A browser without shared workers: this tab has a stream of its own. */
function alone(hear: Listener): (message: FromTab) => void {
  const hub = hubOf((options) => watchChanges(api, options), systemClock)
  const tab = { tell: hear }
  return (message) => hub.hear(tab, message)
}
