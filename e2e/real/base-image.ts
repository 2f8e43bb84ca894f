/* A base that applications run on in containers: Debian's libraries, a static busybox, tini, and the Node of this checkout. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { toolsCache, withCacheLock } from '../../tools/kubernetes/build.ts'
import { unpackPackages } from '../../tools/kubernetes/debian-programs.ts'
import { writeDockerArchive } from '../../tools/kubernetes/docker-archive.ts'

const packages = ['busybox-static', 'libc6', 'libgcc-s1', 'libstdc++6', 'tini']
const applets = (
  'awk basename cat chmod cp cut date dirname echo env expr find grep head hostname id kill ln ls mkdir mktemp mv ' +
  'nproc ps printf pwd rm sed seq sh sleep sort stty tail tar tee test touch tr true tty uname wc which xargs'
).split(' ')
/** Raised when what is written below changes. */
const RECIPE = '1'
/** As whom Slipway runs applications. */
const USER_ID = 10_001

/** The path of the base as a docker archive; made once per Node version. */
export async function ensureBaseArchive(): Promise<string> {
  const inputs = [RECIPE, process.version, process.arch, ...packages, ...applets].join(' ')
  const path = join(
    toolsCache(),
    `base-node-${createHash('sha256').update(inputs).digest('hex').slice(0, 12)}.tar`,
  )
  await withCacheLock(
    'base',
    () => undefined,
    async () => {
      if (!existsSync(path)) await makeBase(path)
    },
  )
  return path
}

async function makeBase(path: string): Promise<void> {
  const work = mkdtempSync(`${path}.tmp-`)
  try {
    const root = join(work, 'root')
    unpackPackages(packages, root)
    rmSync(join(root, 'usr/share'), { recursive: true, force: true })
    for (const name of ['bin', 'etc', 'tmp', 'usr/bin', 'app'])
      mkdirSync(join(root, name), { recursive: true })
    chmodSync(join(root, 'tmp'), 0o1777)
    for (const name of applets) symlinkSync('busybox', join(root, 'bin', name))
    cpSync(process.execPath, join(root, 'usr/bin/node'))
    writeFileSync(
      join(root, 'etc/passwd'),
      `root:x:0:0::/:/bin/sh\napp:x:${USER_ID}:${USER_ID}::/app:/bin/sh\n`,
    )
    writeFileSync(join(root, 'etc/group'), `root:x:0:\napp:x:${USER_ID}:\n`)
    const run = { Entrypoint: ['/usr/bin/tini', '--'], Env: ['PATH=/usr/bin:/bin'], WorkingDir: '/app' }
    await writeDockerArchive({ name: 'base/node:24', rootFolder: root, run }, join(work, 'image.tar'))
    renameSync(join(work, 'image.tar'), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
