import { createClient, type Client } from '@slipway/sdk'

import { fetchWithTime } from './server-time.ts'

/**
 * The API of the installation this page came from. The browser's cookie proves who asks. One repetition only: what stays away
 * longer is shown as a lost connection, and healed from there.
 */
export const api: Client = createClient({
  server: window.location.origin,
  credentials: 'cookie',
  attemptsMax: 2,
  timeoutMs: 20_000,
  fetch: fetchWithTime,
})
