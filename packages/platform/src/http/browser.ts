import type { IncomingHttpHeaders } from 'node:http'

import type { Settings } from '../settings.ts'

/** The address under which browsers, links and cookies know the platform. */
export function publicUrlOf(settings: Settings): URL {
  return new URL(settings.publicUrl ?? `http://localhost:${settings.port}`)
}

function isHttps(settings: Settings): boolean {
  return publicUrlOf(settings).protocol === 'https:'
}

/** Over https the prefix makes browsers refuse a cookie that another host or a plain connection set. */
export function cookieNameOf(settings: Settings): string {
  return isHttps(settings) ? '__Host-slipway' : 'slipway'
}

export function sessionCookie(settings: Settings, secret: string, expiresAt: Date): string {
  return `${cookieNameOf(settings)}=${secret}; Path=/; HttpOnly; SameSite=Lax; Expires=${expiresAt.toUTCString()}${isHttps(settings) ? '; Secure' : ''}`
}

export function clearedSessionCookie(settings: Settings): string {
  return sessionCookie(settings, '', new Date(0))
}

/** Over https, browsers are told to come by nothing else for a year. */
export function transportHeaders(settings: Settings): Readonly<Record<string, string>> {
  return isHttps(settings) ? { 'strict-transport-security': 'max-age=31536000' } : {}
}

/** True when the request comes from a page of the platform itself. */
export function isSameOrigin(settings: Settings, headers: IncomingHttpHeaders): boolean {
  if (headers.origin !== undefined) return headers.origin === publicUrlOf(settings).origin
  return headers['sec-fetch-site'] === 'same-origin'
}

/** Where the platform answers, as Host headers name it. */
export function isKnownHost(settings: Settings, host: string | undefined): boolean {
  if (host === undefined || host.length > 260) return false
  const known = [
    publicUrlOf(settings).host,
    `localhost:${settings.port}`,
    `127.0.0.1:${settings.port}`,
    `[::1]:${settings.port}`,
  ]
  return known.includes(host.toLowerCase())
}

/** Where to send a browser that came by the loopback address: to the name that cookies belong to. */
export function redirectOf(settings: Settings, headers: IncomingHttpHeaders): string | undefined {
  const isPage = headers.accept?.includes('text/html') === true
  const isLoopback =
    headers.host === `127.0.0.1:${settings.port}` || headers.host === `[::1]:${settings.port}`
  const { host, origin } = publicUrlOf(settings)
  return isPage && isLoopback && host !== headers.host ? origin : undefined
}
