/** Pod records on disk: one file per pod, replaced as a whole, so that a kill leaves the old or the new one. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'

import { isRecord, messageOf, parseJson, systemCodeOf } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'

import type { Log } from '../model.ts'
import { podStateFolder, type Folders } from './folders.ts'
import type { PodRecord } from './model.ts'

const FILE = 'pod.json'

export async function savePod(folders: Folders, record: PodRecord): Promise<void> {
  const folder = podStateFolder(folders, record.uid)
  const file = path.join(folder, FILE)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await replaceFile(file, JSON.stringify(record))
}

/** All pods that were recorded, by uid. What cannot be read is left out and said: its processes are found by their marker. */
export async function loadPods(folders: Folders, log: Log): Promise<readonly PodRecord[]> {
  const records: PodRecord[] = []
  for (const entry of await readdir(folders.state, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const file = path.join(folders.state, entry.name, FILE)
    try {
      const value = parseJson(await readFile(file, 'utf8'))
      if (isRecord(value) && value['uid'] === entry.name) records.push(value as PodRecord) // only savePod writes it
      else log('warn', 'a pod record does not fit its folder', { file })
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT')
        log('warn', 'a pod record cannot be read', { file, error: messageOf(error) })
    }
  }
  return records
}

export async function forgetPod(folders: Folders, podUid: string): Promise<void> {
  await rm(podStateFolder(folders, podUid), { recursive: true, force: true })
}
