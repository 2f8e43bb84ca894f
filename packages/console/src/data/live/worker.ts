import { systemClock } from '@slipway/kit'
import { createClient, watchChanges } from '@slipway/sdk'

import { hubOf, type FromTab } from './hub.ts'

/* The worker that all tabs of this browser share: it holds their one stream of changes. */
const client = createClient({ server: self.location.origin, credentials: 'cookie' })
const hub = hubOf((options) => watchChanges(client, options), systemClock)

self.addEventListener('connect', (event) => {
  const port = event instanceof MessageEvent ? event.ports[0] : undefined
  if (port === undefined) return
  const tab = { tell: (message: unknown) => port.postMessage(message) }
  // Only this console's own tabs can reach this worker, and they say nothing else.
  port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => hub.hear(tab, data))
  port.start()
})
