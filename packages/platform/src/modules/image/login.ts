import { createHash, timingSafeEqual } from 'node:crypto'

import { DAY_MS } from '@slipway/kit'
import {
  newTokenKey,
  tokenSigner,
  type RegistryAction,
  type RegistrySubject,
  type TokenKey,
  type TokenSigner,
} from '@slipway/oci'

import type { Platform } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { decide, loadAccess } from '../access/index.ts'
import { findCaller, findCallerByProof, type Caller } from '../identity/index.ts'
import { BASE_PREFIX, type Robot } from './model.ts'
import * as queries from './queries/images.ts'
import { applicationOfRepository } from './service.ts'

/*
 * Who may do what in the registry. People log in with an API token or a session's secret as the password, namespaces with
 * their robot. A subject names the proof, not the power: what it may do is worked out anew for every request, so a withdrawn
 * role, a disabled user and a revoked token end at once, whatever bearer token is still out there.
 */
const ROBOT = 'robot'
const KEY_ROTATE_MS = 30 * DAY_MS
/** Long after the last token that a key signed has ended. */
const KEY_FORGET_MS = 60 * DAY_MS

export async function authenticate(
  platform: Platform,
  credentials: { readonly username: string; readonly password: string },
): Promise<RegistrySubject | undefined> {
  const now = platform.clock.now()
  const { username, password } = credentials
  if (/^rob_[0-9a-z]{26}$/u.test(username)) {
    const robot = await platform.database.transact('all', (db) => queries.findRobotById(db, username), {
      readOnly: true,
    })
    return robot && holds(robot, password, now)
      ? { id: `${ROBOT} ${robot.id}`, name: robot.namespace }
      : undefined
  }
  const caller = await platform.database.transact('none', (db) => findCaller(db, password, now))
  return caller && { id: `${caller.user.id} ${caller.via} ${caller.proof}`, name: caller.user.name }
}

function holds(robot: Robot, password: string, now: Date): boolean {
  const given = hashOf(password)
  if (isEqual(given, robot.secretHash)) return true
  const isOldValid = robot.previousUntil !== null && robot.previousUntil > now
  return isOldValid && robot.previousHash !== null && isEqual(given, robot.previousHash)
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/** What a subject may do in a repository now. */
export async function authorize(
  platform: Platform,
  subject: RegistrySubject | undefined,
  repository: string,
): Promise<readonly RegistryAction[]> {
  if (subject === undefined) return []
  const [id = '', via = '', proof = ''] = subject.id.split(' ')
  if (id === ROBOT)
    return platform.database.transact('all', (db) => robotActions(db, via, repository), { readOnly: true })
  const now = platform.clock.now()
  const caller = await platform.database.transact('none', (db) =>
    findCallerByProof(db, via === 'token' ? 'token' : 'session', proof, now),
  )
  if (caller?.user.id !== id) return []
  return platform.database.transact('all', (db) => personActions(db, caller, repository), { readOnly: true })
}

async function robotActions(db: Db, robotId: string, repository: string): Promise<readonly RegistryAction[]> {
  const robot = await queries.findRobotById(db, robotId)
  if (!robot) return []
  if (repository.startsWith(BASE_PREFIX)) return ['pull']
  const application = await applicationOfRepository(db, repository)
  return application?.projectId === robot.projectId ? ['pull'] : []
}

async function personActions(db: Db, caller: Caller, repository: string): Promise<readonly RegistryAction[]> {
  const access = await loadAccess(db, caller.user, caller.within)
  const actions: readonly RegistryAction[] = ['pull', 'push', 'delete']
  if (repository.startsWith(BASE_PREFIX))
    return access.platformRoles.includes('operator') ? actions : ['pull']
  const application = await applicationOfRepository(db, repository)
  if (!application) return []
  const place = { organizationId: application.organizationId, projectId: application.projectId }
  return actions.filter((action) => decide(access, `image:${action}`, place) === 'allowed')
}

/** User id of a subject, or the robot's, for the audit. */
export function actorOf(subject: RegistrySubject | undefined): {
  readonly id: string
  readonly name: string
} {
  if (subject === undefined) return { id: 'anonymous', name: 'anonymous' }
  const [id = '', second = ''] = subject.id.split(' ')
  return { id: id === ROBOT ? second : id, name: subject.name }
}

export type RegistryKeys = {
  readonly signer: TokenSigner
  /** Reads the keys again, makes the first one, a new one when the newest is old, and forgets the oldest. */
  readonly renew: () => Promise<void>
}

export function registryKeys(platform: Platform, service: string): RegistryKeys {
  let keys: readonly TokenKey[] = []
  const owner = (id: string) => ['', 'registry-key', id, '1'] as const
  const signer = tokenSigner({
    keys: () => keys,
    issuer: `slipway ${platform.installationId}`,
    audience: service,
    clock: platform.clock,
    newId: platform.newId,
  })
  return {
    signer,
    async renew() {
      const now = platform.clock.now()
      keys = await platform.database.transact('none', async (db) => {
        const newest = (await queries.tokenKeys(db))[0]
        if (!newest || now.getTime() - newest.createdAt.getTime() >= KEY_ROTATE_MS) {
          const key = newTokenKey(platform.newId('key'))
          await queries.insertTokenKey(db, key.id, platform.envelope.seal(key.privateKey, owner(key.id)), now)
        }
        await queries.forgetTokenKeys(db, new Date(now.getTime() - KEY_FORGET_MS))
        return (await queries.tokenKeys(db)).map(({ id, sealed }) => ({
          id,
          privateKey: platform.envelope.open(sealed, owner(id)).toString('utf8'),
        }))
      })
    },
  }
}
