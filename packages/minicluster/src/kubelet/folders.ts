/** Where everything of the agent lies. `run/` is what Instances may enter, `state/` and `images/` are ours alone. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { messageOf, newSecret, systemCodeOf } from '@slipway/kit'

export type Folders = {
  readonly root: string
  readonly images: string
  readonly state: string
  readonly run: string
}

export async function openFolders(dataFolder: string, asRoot: boolean): Promise<Folders> {
  const folders = {
    root: dataFolder,
    images: path.join(dataFolder, 'images'),
    state: path.join(dataFolder, 'state'),
    run: path.join(dataFolder, 'run'),
  }
  await mkdir(dataFolder, { recursive: true, mode: asRoot ? 0o711 : 0o700 })
  await mkdir(folders.images, { recursive: true, mode: 0o700 })
  await mkdir(folders.state, { recursive: true, mode: 0o700 })
  await mkdir(folders.run, { recursive: true, mode: 0o711 })
  if (asRoot) await refuseClosedFolders(folders.run)
  return folders
}

/** Instances run under other uids: every folder on the way to theirs must let those pass. */
async function refuseClosedFolders(folder: string): Promise<void> {
  for (let current = path.resolve(folder); ; current = path.dirname(current)) {
    const { mode } = await stat(current)
    if ((mode & 0o001) === 0)
      throw new Error(
        `Instances run under uids of their own and cannot enter ${folder}, because ${current} has mode ${(mode & 0o777).toString(8)}: choose another data folder or run "chmod o+x ${current}"`,
      )
    if (current === path.dirname(current)) return
  }
}

export function podStateFolder(folders: Folders, podUid: string): string {
  return path.join(folders.state, podUid)
}

export function attemptFolder(folders: Folders, podUid: string, container: string, attempt: number): string {
  return path.join(folders.state, podUid, container, String(attempt))
}

export function podRunFolder(folders: Folders, podUid: string): string {
  return path.join(folders.run, podUid)
}

/** The folder that takes the place of a container's root: `app` below it is /app. */
export function instanceFolder(folders: Folders, podUid: string, container: string): string {
  return path.join(folders.run, podUid, 'c', container)
}

export function applicationFolder(folders: Folders, podUid: string, container: string): string {
  return path.join(instanceFolder(folders, podUid, container), 'app')
}

export function volumeFolder(folders: Folders, podUid: string, volume: string): string {
  return path.join(folders.run, podUid, 'v', volume)
}

/** The id that marks this agent's processes, made once per data folder. */
export async function openAgentId(folders: Folders): Promise<string> {
  const file = path.join(folders.state, 'agent-id')
  try {
    const id = (await readFile(file, 'utf8')).trim()
    if (/^[A-Za-z0-9_-]{16,64}$/.test(id)) return id
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT')
      throw new Error(`cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
  const id = newSecret(15)
  await writeFile(file, id, { mode: 0o600 })
  return id
}
