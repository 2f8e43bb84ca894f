/*
 * One attempt of a container: made, started, adopted, ended. The record on disk is written before and after each effect, so that
 * a successor finds out what is true: `starting` means that a wrapper may run and its status file tells; `running` names it.
 */
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:fs'
import { chown, mkdir, open, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { errorOf, isRecord, messageOf, must, parseJson, waitFor } from '@slipway/kit'

import { declaredPorts, listenersText, servedPort } from './addresses.ts'
import type { Agent } from './agent.ts'
import { applicationFolder, attemptFolder } from './folders.ts'
import { findCommand } from './images.ts'
import { environmentForRoot, isolate } from './isolation.ts'
import { readLogEnd } from './log-read.ts'
import {
  markerOf,
  SetupError,
  type ContainerRecord,
  type Exit,
  type PodRecord,
  type ProcessId,
} from './model.ts'
import { openOutput, rawFile, type Output } from './output.ts'
import type { ProbeTarget } from './probe-check.ts'
import { placeMarker, type Place, type Prepared } from './prepare.ts'
import { findProcess, isRunning, readEnvironment, readIfThere, type Listener } from './proc.ts'
import { findApplication, sendSignal } from './process-table.ts'
import type { Inside } from './run-inside.ts'
import { EXIT_UNKNOWN, launch, parseStatus } from './wrapper.ts'

/** A container whose wrapper runs. */
export type Live = {
  readonly marker: string
  readonly wrapper: ProcessId
  readonly depth: number
  readonly inside: Inside
  readonly output: Output
  /** Resolves when the wrapper is gone. */
  readonly gone: Promise<void>
}

const THREAD_LIMIT = 8_192
const ADOPT_POLL_MS = 200
const TERMINATION_MESSAGE_BYTES = 4_096
const TERMINATION_LOG_BYTES = 2_048
const TERMINATION_LOG_LINES = 80
const LOST_REASON = 'ContainerStatusUnknown'
const LOST_MESSAGE = 'The container could not be located when the node agent came back; it used to be running'

function placeFolder({ agent, record, state }: Pick<Place, 'agent' | 'record' | 'state'>): string {
  return attemptFolder(agent.folders, record.uid, state.name, state.attempt)
}

/**
 * Starts the processes. `onStarting` must make the record durable before anything runs.
 * @throws {SetupError} `RunContainerError` when the program does not exist or the kernel refuses
 */
export async function startContainer(place: Place, prepared: Prepared): Promise<Live> {
  const { agent, record, state } = place
  const { inside } = prepared
  await requireProgram(prepared)
  const holder = place.container.tty === true ? await agent.terminals() : []
  const isolated = isolate({
    mode: record.isolation,
    argv: [...holder, ...prepared.argv],
    hostUid: record.hostUid,
    temporaryFolder: inside.environment['TMPDIR'] ?? '',
  })
  const folder = placeFolder(place)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // The environment may hold secrets: a successor reads it from the running wrapper instead.
  const kept = { folder: inside.folder, applicationFolder: inside.applicationFolder, hostUid: inside.hostUid }
  await writeFile(path.join(folder, 'inside.json'), JSON.stringify(kept), { mode: 0o600 })
  const output = await openOutput({ folder, clock: agent.clock, log: agent.log })
  try {
    const child = await launchWith(folder, {
      argv: isolated.argv,
      environment:
        record.isolation === 'pid-namespace'
          ? environmentForRoot(inside.environment, agent.hostPath)
          : inside.environment,
      folder: inside.folder,
      hostUid: isolated.wrapperUid,
      ownerUid: record.hostUid,
      threadLimit: record.hostUid === undefined ? 0 : THREAD_LIMIT,
      stdin: place.container.stdin === true ? await openInput(folder) : 'ignore',
    })
    const pid = must(child.pid, 'a spawned process has a pid')
    const startTicks = findProcess(pid)?.startTicks ?? 0
    const marker = placeMarker({ agent, record, state })
    agent.processes.adoptSession(pid, marker)
    return {
      marker,
      wrapper: { pid, startTicks },
      depth: state.depth,
      inside,
      output,
      gone: exitOfChild(child),
    }
  } catch (error) {
    await output[Symbol.asyncDispose]()
    throw new SetupError('RunContainerError', `failed to start the container: ${messageOf(error)}`)
  }
}

async function requireProgram(prepared: Prepared): Promise<void> {
  const [program = ''] = prepared.argv
  const { inside } = prepared
  const found = program.includes('/')
    ? await findCommand(path.basename(program), path.resolve(inside.folder, path.dirname(program)))
    : await findCommand(program, inside.environment['PATH'] ?? '')
  if (found === undefined)
    throw new SetupError(
      'RunContainerError',
      `failed to create the container: exec: "${program}": ${program.includes('/') ? 'no such file, or it is not executable' : 'executable file not found in $PATH'}`,
    )
}

type LaunchFiles = Omit<Parameters<typeof launch>[0], 'stdout' | 'stderr' | 'status' | 'stdin'> & {
  readonly stdin: Awaited<ReturnType<typeof open>> | 'ignore'
  readonly ownerUid: number | undefined
}

async function launchWith(folder: string, options: LaunchFiles): Promise<ChildProcess> {
  await rm(path.join(folder, 'status'), { force: true })
  // An application may open /dev/stdout anew, which asks for rights on the file behind it.
  if (options.ownerUid !== undefined)
    for (const stream of ['stdout', 'stderr'] as const)
      await chown(rawFile(folder, stream), options.ownerUid, options.ownerUid)
  await using stdout = await open(rawFile(folder, 'stdout'), 'a')
  await using stderr = await open(rawFile(folder, 'stderr'), 'a')
  await using status = await open(path.join(folder, 'status'), 'a', 0o600)
  const { stdin } = options
  try {
    return await launch({
      ...options,
      stdin: stdin === 'ignore' ? stdin : stdin.fd,
      stdout: stdout.fd,
      stderr: stderr.fd,
      status: status.fd,
    })
  } finally {
    if (stdin !== 'ignore') await stdin.close()
  }
}

export function inputFile(folder: string): string {
  return path.join(folder, 'stdin.fifo')
}

/** A named pipe opened for both directions: the application never sees an end of input only because nobody is attached. */
async function openInput(folder: string): Promise<Awaited<ReturnType<typeof open>>> {
  const { execFile } = await import('node:child_process')
  const file = inputFile(folder)
  await rm(file, { force: true })
  await new Promise<void>((resolve, reject) => {
    execFile('mkfifo', ['-m', '600', file], (error) => (error ? reject(errorOf(error)) : resolve()))
  })
  return open(file, 'r+')
}

function exitOfChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
}

/**
 * Finds the wrapper an earlier agent started. Undefined when there is none any more; its exit is then in the status file.
 * Between fork and the wrapper's first line only the environment marker shows it, so that is waited for.
 */
export async function adoptContainer(place: Place): Promise<Live | undefined> {
  const { agent, state } = place
  const folder = placeFolder(place)
  const marker = placeMarker(place)
  const wrapper = state.wrapper?.startTicks ? state.wrapper : await findWrapper(agent, folder, marker)
  const inside = wrapper && isRunning(wrapper) ? readInside(folder, wrapper) : undefined
  if (!wrapper || !inside) return undefined
  agent.processes.adoptSession(wrapper.pid, marker)
  const output = await openOutput({ folder, clock: agent.clock, log: agent.log })
  return { marker, wrapper, depth: state.depth, inside, output, gone: pollGone(agent, wrapper) }
}

async function findWrapper(agent: Agent, folder: string, marker: string): Promise<ProcessId | undefined> {
  const read = (): ProcessId | undefined =>
    parseStatus(readIfThere(path.join(folder, 'status')) ?? '').wrapper
  return waitFor(
    agent.clock,
    'a wrapper to tell its pid',
    () => {
      const found = read()
      return found
        ? { found }
        : agent.processes.members((other) => other === marker).length === 0 && { found }
    },
    { timeoutMs: 2_000, everyMs: 20 },
  ).then(
    ({ found }) => found,
    () => undefined, // something with the marker runs but never told its pid: swept with the rest
  )
}

function readInside(folder: string, wrapper: ProcessId): Inside | undefined {
  const text = readIfThere(path.join(folder, 'inside.json'))
  const value = text === undefined ? undefined : parseJson(text)
  if (!isRecord(value)) return undefined
  const kept = value as unknown as Omit<Inside, 'environment'> // only startContainer writes it
  return { ...kept, hostUid: kept.hostUid, environment: readEnvironment(wrapper.pid) }
}

/** True when a wrapper has told its pid. */
export function hasBegun(place: Place): boolean {
  return parseStatus(readIfThere(path.join(placeFolder(place), 'status')) ?? '').wrapper !== undefined
}

async function pollGone(agent: Agent, wrapper: ProcessId): Promise<void> {
  while (isRunning(wrapper)) await agent.clock.sleep(ADOPT_POLL_MS)
}

/** `leftBehind`: how many processes outlived the application and had to be ended. */
export type Conclusion = { readonly exit: Exit; readonly leftBehind: number }

/** Ends what is left of an attempt whose wrapper is gone, completes its log and says how it ended. */
export async function concludeContainer(place: Place, live: Live | undefined): Promise<Conclusion> {
  const { agent, record, state, container } = place
  const marker = placeMarker(place)
  const folder = placeFolder(place)
  const told = parseStatus(readIfThere(path.join(folder, 'status')) ?? '').exitCode
  const exitCode = told ?? EXIT_UNKNOWN
  const leftBehind = agent.processes.members((other) => other === marker).length
  await agent.processes.killAll((other) => other === marker)
  const output = live?.output ?? (await openOutput({ folder, clock: agent.clock, log: agent.log }))
  await output.drain(true)
  await output[Symbol.asyncDispose]()
  // All of it is in the log by now.
  for (const file of [inputFile(folder), rawFile(folder, 'stdout'), rawFile(folder, 'stderr')])
    await rm(file, { force: true })
  // Found dead, and nobody there to tell how: a kubelet says so, since this end may have nothing to do with the application.
  const isLost = told === undefined && !live
  const message =
    state.ended?.message ?? (isLost ? LOST_MESSAGE : await terminationMessage(place, folder, exitCode))
  const reason = isLost ? LOST_REASON : exitCode === 0 ? 'Completed' : 'Error'
  const exit = {
    exitCode,
    reason: state.ended?.reason ?? reason,
    ...(message === '' ? {} : { message }),
    startedAt: state.startedAt ?? record.startTime,
    finishedAt: agent.clock.now().toISOString(),
    containerId: `process://${markerOf(agent.agentId, record.uid, container.name, state.attempt)}`,
  }
  return { exit, leftBehind }
}

async function terminationMessage(place: Place, folder: string, exitCode: number): Promise<string> {
  const { agent, record, container } = place
  const file = container.terminationMessagePath ?? ''
  if (file.startsWith('/app/')) {
    const application = applicationFolder(agent.folders, record.uid, container.name)
    const own = await readOwnFile(
      path.join(application, path.posix.normalize(file).slice('/app/'.length)),
      record.hostUid,
    )
    if (own !== '') return own
  }
  if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return ''
  return readLogEnd(folder, TERMINATION_LOG_LINES, TERMINATION_LOG_BYTES)
}

/** The beginning of a plain file that the Instance itself owns: what it links to or makes a pipe of is not read. */
async function readOwnFile(file: string, hostUid: number | undefined): Promise<string> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const info = await handle.stat()
    if (!info.isFile() || (hostUid !== undefined && info.uid !== hostUid)) return ''
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(TERMINATION_MESSAGE_BYTES))
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return '' // the application wrote none, which is the usual case
  }
}

/** SIGTERM to the application itself; false while it is not there yet. */
export function signalApplication(agent: Agent, live: Live): boolean {
  const members = agent.processes.members((marker) => marker === live.marker)
  const pid = findApplication(members, live.wrapper.pid, live.depth)
  return pid !== undefined && sendSignal(pid, 'SIGTERM')
}

/** Where a port of the container is served now, with an explanation for people where it is not. */
export function resolvePort(
  place: Place,
  wanted: number,
): { readonly port?: number; readonly problem: string } {
  const { agent, container, state } = place
  const marker = placeMarker(place)
  const declared = declaredPorts(container)
  const isFirst = declared.length === 0 || declared[0] === wanted
  // Only Linux tells who listens where; elsewhere the application is trusted to listen at PORT.
  if (process.platform !== 'linux') return { port: isFirst ? state.port : wanted, problem: '' }
  const serving = (listeners: readonly Listener[]): number | undefined =>
    servedPort({ wanted, declared, port: state.port, listeners })
  const listeners = agent.network.listenersOf(marker, (known) => serving(known) !== undefined)
  const port = serving(listeners)
  if (port !== undefined) return { port, problem: '' }
  const places = isFirst ? `$PORT (${state.port}) or at ${wanted}` : `${wanted}`
  return { problem: `the container does not listen at ${places}: ${listenersText(listeners)}` }
}

export function probeTarget(place: Place, live: Live): ProbeTarget {
  return {
    container: place.container,
    inside: live.inside,
    podIp: place.record.podIp,
    clock: place.agent.clock,
    resolvePort: (port) => resolvePort(place, port),
  }
}

/** Removes logs of attempts nobody can ask for any more: kept are this one and the one before. */
export async function forgetOldAttempts(
  agent: Agent,
  record: PodRecord,
  state: ContainerRecord,
): Promise<void> {
  if (state.attempt < 2) return
  await rm(attemptFolder(agent.folders, record.uid, state.name, state.attempt - 2), {
    recursive: true,
    force: true,
  })
}
