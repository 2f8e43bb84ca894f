import { request } from 'node:https'

/** Where the API server answers, and how to be its administrator. */
export type ApiAccess = {
  readonly apiUrl: string
  readonly certificateAuthority: string
  readonly adminToken: string
}

type ApiReply = { readonly code: number; readonly text: string }

/**
 * One request as administrator, for setting a cluster up before any client of ours is known to work.
 * @param contentType - of `body`; the API server takes `application/yaml` as well as JSON
 */
export function apiRequest(
  access: ApiAccess,
  method: string,
  path: string,
  body?: { readonly contentType: string; readonly text: string },
): Promise<ApiReply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, access.apiUrl),
      {
        method,
        ca: access.certificateAuthority,
        agent: false,
        timeout: 10_000,
        headers: {
          authorization: `Bearer ${access.adminToken}`,
          ...(body && { 'content-type': body.contentType, 'content-length': Buffer.byteLength(body.text) }),
        },
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () =>
          resolve({ code: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} took more than 10 s`)))
    sent.on('error', reject)
    sent.end(body?.text)
  })
}

/** Creates what `text` describes; that it is there already is no error. */
export async function createObject(
  access: ApiAccess,
  path: string,
  text: string,
  contentType = 'application/json',
): Promise<void> {
  const reply = await apiRequest(access, 'POST', path, { contentType, text })
  if (reply.code !== 201 && reply.code !== 409)
    throw new Error(`creating at ${path} answered ${reply.code}: ${reply.text.slice(0, 500)}`)
}
