/*
 * The platform's end of the tunnels of agents. A connection proves itself by a token of which only the hash is kept, and is asked
 * again every few seconds whether that still holds. Then the Cluster behind it is asked who it is: the first that comes with a
 * token keeps it, so that a manifest applied in two places cannot make requests go now here, now there. Several agents of one
 * Cluster may be connected; the newest connection carries new requests, and when it goes, the one before it does.
 * A tunnel belongs to the replica at which it ends. Agents therefore look for all replicas, which name themselves in their
 * welcome; one without a tunnel gets no answer from the Cluster, and decides nothing about it.
 */
import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'

import {
  conversationOver,
  encodeWelcome,
  openTunnel,
  readGreeting,
  REFUSAL_HEADER,
  REFUSALS,
  REFUSED_CODE,
  withinGreeting,
  type Tunnel,
} from '@slipway/agent'
import { type Clock, messageOf, SECOND_MS } from '@slipway/kit'
import { findObject, KubeError, kubeClient, type Kube } from '@slipway/kube'
import type { WebSocket } from 'ws'

import type { Platform } from '../../context.ts'
import { VERSION } from '../../version.ts'
import type { AskGateway } from './model.ts'
import * as queries from './queries.ts'

/** A revoked token ends its connection within this time, in ms, and the time of one query. */
const RECHECK_MS = 3 * SECOND_MS
/** How long the Cluster behind a new connection may take to say who it is, and how soon it is asked again, in ms. */
const IDENTITY_TIMEOUT_MS = 5 * SECOND_MS
const IDENTITY_PAUSE_MS = 2 * SECOND_MS
/** Connections of one Cluster; one more ends the oldest. */
const TUNNELS_MAX = 4
/** What the agent dials on our behalf; it never looks at a name that we say. */
export const AGENT_SERVER = 'https://kubernetes.default.svc'

export type Agents = Disposable & {
  /** Serves the connection of an agent until it ends. */
  readonly serve: (accept: () => Promise<WebSocket>) => Promise<void>
  /** A client whose requests go through the Cluster's tunnel, whichever that is at the moment. */
  readonly clientOf: (clusterId: string) => Kube & Disposable
  /** Lets the agent ask a Gateway of its Cluster. */
  readonly askGatewayOf: (clusterId: string) => AskGateway
}

/** A new token and what is stored of it. */
export function newAgentToken(): { readonly token: string; readonly tokenHash: string } {
  const token = `slpa_${randomBytes(32).toString('base64url')}`
  return { token, tokenHash: hashOf(token) }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

type Named = { readonly id: string; readonly slug: string }

export function openAgents(
  platform: Pick<Platform, 'clock' | 'log' | 'database' | 'settings' | 'newId'>,
): Agents {
  const { clock, log, database } = platform
  const replica = platform.settings.soleReplica ? undefined : platform.newId('rep')
  const tunnels = new Map<string, readonly Tunnel[]>()
  /** Why the last connection of a Cluster could not be used, for people. */
  const troubles = new Map<string, string>()

  async function clusterOf(token: string): Promise<Named | undefined> {
    return database.transactAsSystem((db) => queries.findAgentCluster(db, hashOf(token)), { readOnly: true })
  }

  function dial(clusterId: string): Duplex {
    const tunnel = tunnels.get(clusterId)?.at(-1)
    if (tunnel) return tunnel.open()
    const why = troubles.get(clusterId) ?? 'its agent is not connected to this replica of the platform'
    throw new KubeError(0, 'Unreachable', why)
  }

  function clientOver(open: () => Duplex): Kube & Disposable {
    return kubeClient({
      access: { server: AGENT_SERVER, credentials: {} },
      clock,
      userAgent: `slipway/${VERSION}`,
      dial: open,
    })
  }

  function add(clusterId: string, tunnel: Tunnel): void {
    const all = [...(tunnels.get(clusterId) ?? []), tunnel]
    tunnels.set(clusterId, all)
    troubles.delete(clusterId)
    if (all.length > TUNNELS_MAX) all[0]?.close('newer connections of the agent took its place')
  }

  /** @returns whether it was one that counted */
  function drop(clusterId: string, tunnel: Tunnel): boolean {
    const all = tunnels.get(clusterId) ?? []
    const left = all.filter((one) => one !== tunnel)
    if (left.length > 0) tunnels.set(clusterId, left)
    else tunnels.delete(clusterId)
    return left.length < all.length
  }

  /** Asks until the Cluster says who it is. @returns whether it is the one that this token belongs to */
  async function isRightCluster(cluster: Named, token: string, tunnel: Tunnel): Promise<boolean> {
    using kube = clientOver(() => tunnel.open())
    const gone = new AbortController()
    void tunnel.closed.then((why) => gone.abort(new Error(why)))
    for (;;) {
      try {
        const options = { timeoutMs: IDENTITY_TIMEOUT_MS, signal: gone.signal }
        const found = await findObject(kube, 'namespaces', { name: 'kube-system' }, options)
        const uid = found?.metadata.uid
        if (uid === undefined) return true
        return await database.transactAsSystem((db) =>
          queries.settleAgentCluster(db, { id: cluster.id, tokenHash: hashOf(token), uid }),
        )
      } catch (thrown) {
        gone.signal.throwIfAborted()
        troubles.set(cluster.id, messageOf(thrown).slice(0, 200))
        await clock.sleep(IDENTITY_PAUSE_MS, gone.signal)
      }
    }
  }

  async function serve(accept: () => Promise<WebSocket>): Promise<void> {
    const talk = conversationOver(await accept())
    const greeting = readGreeting(await withinGreeting(clock, talk.next))
    const cluster = greeting && (await clusterOf(greeting.token))
    if (!greeting || !cluster) {
      talk.refuse(REFUSED_CODE, greeting ? REFUSALS.token : REFUSALS.protocol)
      log.warn({ isKnownProtocol: greeting !== undefined }, 'an agent was refused')
      return
    }
    const facts = { cluster: cluster.slug, agent: greeting.version }
    talk.say(encodeWelcome(replica))
    const tunnel = openTunnel({ carrier: talk.carrier(), clock })
    const refuse = (why: string): void => {
      talk.refuse(REFUSED_CODE, why)
      tunnel.close(why)
      log.warn({ ...facts, why }, 'an agent was refused')
    }
    const recheck = async (): Promise<void> => {
      if ((await clusterOf(greeting.token))?.id !== cluster.id) refuse(REFUSALS.token)
    }
    // A database that does not answer ends the connection too: without an answer, nobody may.
    const onFailure = (): void => tunnel.close('its token could not be checked')
    using _timer = clock.every(RECHECK_MS, () => void recheck().catch(onFailure))
    const identified = async (): Promise<void> => {
      if (await isRightCluster(cluster, greeting.token, tunnel)) {
        add(cluster.id, tunnel)
        log.info(facts, 'an agent is connected')
      } else refuse(REFUSALS.otherCluster)
    }
    // The tunnel ended before; that is told below.
    void identified().catch(() => undefined)
    const why = await tunnel.closed
    if (drop(cluster.id, tunnel)) log.info({ ...facts, why }, 'an agent is gone')
  }

  return {
    serve,
    clientOf: (clusterId) => clientOver(() => dial(clusterId)),
    askGatewayOf: (clusterId) => (url, options) =>
      askOver({ clock, open: () => dial(clusterId) }, url, options),
    [Symbol.dispose]() {
      for (const tunnel of [...tunnels.values()].flat()) tunnel.close('the platform stops')
    },
  }
}

/** As a proxy is asked: the agent gets the whole address, and goes there if it is that of a Gateway. */
function askOver(
  { clock, open }: { readonly clock: Clock; readonly open: () => Duplex },
  url: URL,
  { headers, signal, timeoutMs }: Parameters<AskGateway>[1],
): ReturnType<AskGateway> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sent = httpRequest({
    createConnection: open,
    path: url.href,
    headers: { host: url.host, ...headers },
    signal,
  })
  const deadline = clock.after(timeoutMs, () => sent.destroy(new Error('no answer in time')))
  sent.once('error', reject)
  sent.once('response', (answer) => {
    const refusal = answer.headers[REFUSAL_HEADER]
    answer.once('error', reject)
    answer.once('end', () => {
      if (typeof refusal === 'string') reject(new Error(decodeURIComponent(refusal)))
      else resolve(answer.statusCode ?? 0)
    })
    answer.resume()
  })
  sent.end()
  return promise.finally(() => deadline[Symbol.dispose]())
}
