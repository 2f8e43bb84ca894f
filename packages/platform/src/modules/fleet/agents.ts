/*
 * The platform's end of the tunnels of agents. A connection proves itself by a token of which only the hash is kept, and is asked
 * again every few seconds whether that still holds. The newest connection of a Cluster is the one that counts. A tunnel
 * belongs to the replica at which it ends: at the others the Cluster does not answer, and they decide nothing about it.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'

import {
  conversationOver,
  encodeWelcome,
  openTunnel,
  readGreeting,
  REFUSALS,
  REFUSED_CODE,
  withinGreeting,
  type Tunnel,
} from '@slipway/agent'
import { SECOND_MS } from '@slipway/kit'
import { KubeError, kubeClient, type Kube } from '@slipway/kube'
import type { WebSocket } from 'ws'

import type { Platform } from '../../context.ts'
import { VERSION } from '../../version.ts'
import * as queries from './queries.ts'

/** A revoked token ends its connection within this time, in ms, and the time of one query. */
const RECHECK_MS = 3 * SECOND_MS
/** What the agent dials on our behalf; it never looks at a name that we say. */
export const AGENT_SERVER = 'https://kubernetes.default.svc'

export type Agents = Disposable & {
  /** Serves the connection of an agent until it ends. */
  readonly serve: (accept: () => Promise<WebSocket>) => Promise<void>
  /** A client whose requests go through the Cluster's tunnel, whichever that is at the moment. */
  readonly clientOf: (clusterId: string) => Kube & Disposable
}

/** A new token and what is stored of it. */
export function newAgentToken(): { readonly token: string; readonly tokenHash: string } {
  const token = `slpa_${randomBytes(32).toString('base64url')}`
  return { token, tokenHash: hashOf(token) }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function openAgents({ clock, log, database }: Pick<Platform, 'clock' | 'log' | 'database'>): Agents {
  const tunnels = new Map<string, Tunnel>()

  async function clusterOf(
    token: string,
  ): Promise<{ readonly id: string; readonly slug: string } | undefined> {
    return database.transactAsSystem((db) => queries.findAgentCluster(db, hashOf(token)), { readOnly: true })
  }

  function dial(clusterId: string): Duplex {
    const tunnel = tunnels.get(clusterId)
    if (!tunnel)
      throw new KubeError(0, 'Unreachable', 'its agent is not connected to this replica of the platform')
    return tunnel.open()
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
    talk.say(encodeWelcome())
    const tunnel = openTunnel({ carrier: talk.carrier(), clock })
    tunnels.get(cluster.id)?.close('a newer connection of the agent took its place')
    tunnels.set(cluster.id, tunnel)
    log.info(facts, 'an agent is connected')
    const recheck = async (): Promise<void> => {
      if ((await clusterOf(greeting.token))?.id === cluster.id) return
      talk.refuse(REFUSED_CODE, REFUSALS.token)
      tunnel.close(REFUSALS.token)
    }
    // A database that does not answer ends the connection too: without an answer, nobody may.
    const onFailure = (): void => tunnel.close('its token could not be checked')
    using _timer = clock.every(RECHECK_MS, () => void recheck().catch(onFailure))
    const why = await tunnel.closed
    if (tunnels.get(cluster.id) === tunnel) tunnels.delete(cluster.id)
    log.info({ ...facts, why }, 'an agent is gone')
  }

  return {
    serve,
    clientOf: (clusterId) =>
      kubeClient({
        access: { server: AGENT_SERVER, credentials: {} },
        clock,
        userAgent: `slipway/${VERSION}`,
        dial: () => dial(clusterId),
      }),
    [Symbol.dispose]() {
      for (const tunnel of tunnels.values()) tunnel.close('the platform stops')
    },
  }
}
