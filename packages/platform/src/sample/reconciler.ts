import { join } from 'node:path'

import type { BuildState } from '@slipway/contract'
import { messageOf, must, SECOND_MS } from '@slipway/kit'

import { readSetting, settleSetting, type ControlContext, type Reconciler } from '../control/index.ts'
import { findWorkload, type Workload } from '../modules/app/index.ts'
import type { Clusters } from '../modules/fleet/index.ts'
import { resolveImage } from '../modules/image/index.ts'
import { listBuilds, startBuild } from '../modules/build/index.ts'
import { settlePool } from '../modules/pool/index.ts'
import { findHead, lastNumber, listReleases, startRelease, urlsOf } from '../modules/release/index.ts'
import type { Db } from '../tables.ts'
import { isolatedGit } from './git.ts'
import { makeRepositories, type SampleRepository } from './make-repositories.ts'
import { followRepositories } from './move.ts'
import { planSample, troubleOf, type SampleFacts, type SampleStep } from './plan.ts'
import { seedSample } from './seed.ts'
import { actAsSystem } from './system-account.ts'

const NAME = 'sample'
const SETTING = 'sample'
/** Below the data folder. */
const REPOSITORIES = 'samples'
/** The application of `examples/` that is released. */
const REPOSITORY = 'node-web'
const INSTANCES = { web: 2 }
/** As PATH: a service may have none. */
const PROGRAMS = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
const RESYNC_MS = 60 * SECOND_MS
const SOON_MS = 1_000
const DEADLINE_MS = 120 * SECOND_MS

export type SamplePorts = {
  /** With the sources of the sample applications. */
  readonly examplesFolder: string
  readonly clusters: Clusters
  /** Told whenever something changes. */
  readonly onSample: (sample: SampleWord) => void
}

/** What is to be said of the sample. */
export type SampleWord = {
  /** On a port of its own; null once there is no sample and never will be. */
  readonly url: string | null
  readonly trouble: SampleTrouble | null
}

/** Why nothing answers at its address, and nothing will until a person acts. */
export type SampleTrouble = {
  readonly part: 'build' | 'release'
  /** As commands name it: `sample/hello#1`. */
  readonly subject: string
  /** Of the Build's or the Release's reason. */
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

type Known = SampleFacts & {
  readonly workload: Workload | undefined
  readonly image: string | null
  readonly trouble: SampleTrouble | null
}

/** Makes the sample once and takes it to its first release; finds its address at every start. */
export function sampleReconciler(ports: SamplePorts): Reconciler {
  let told: SampleWord | undefined
  let repositories: readonly SampleRepository[] | undefined
  let hasFollowed = false

  function tell(word: SampleWord): void {
    if (JSON.stringify(told) !== JSON.stringify(word)) ports.onSample(word)
    told = word
  }

  async function madeRepository(context: ControlContext): Promise<SampleRepository> {
    repositories ??= await makeRepositories({
      examplesFolder: ports.examplesFolder,
      into: join(context.settings.dataFolder, REPOSITORIES),
      git: isolatedGit(PROGRAMS),
    })
    return must(
      repositories.find(({ name }) => name === REPOSITORY),
      `the examples lack ${REPOSITORY}`,
    )
  }

  async function tellAddress(
    context: ControlContext,
    workload: Workload,
    trouble: SampleTrouble | null,
  ): Promise<void> {
    try {
      const { gateway } = await ports.clusters.connect(workload.clusterId)
      const url = urlsOf(workload, gateway).at(-1)
      if (url !== undefined) tell({ url, trouble })
    } catch (thrown) {
      // The address comes with the next pass; building does not wait for it.
      context.log.warn({ error: messageOf(thrown) }, 'the address of the sample is not known yet')
    }
  }

  const steps: Readonly<Record<SampleStep, (context: ControlContext, known: Known) => Promise<void>>> = {
    done: () => Promise.resolve(),
    wait: () => Promise.resolve(),
    async seed(context) {
      const repository = await madeRepository(context)
      await context.transact(async (db) => {
        await settleSetting(db, SETTING, await seedSample(context, db, repository))
      })
    },
    async build(context, { workload }) {
      const { commits } = await madeRepository(context)
      const { id: commit } = must(commits[0], 'a sample has a commit')
      await build(context, must(workload, 'it was planned for one'), commit)
    },
    async release(context, { workload, image }) {
      await release(context, ports.clusters, {
        workload: must(workload, 'it was planned for one'),
        image: must(image, 'a build that succeeded has an Image'),
      })
    },
  }

  async function readFacts(db: Db): Promise<Known> {
    const seeded = await readSetting(db, SETTING)
    const workload = seeded === undefined || seeded === '' ? undefined : await findWorkload(db, seeded)
    if (!workload || workload.deleting)
      return {
        seeded,
        hasWorkload: false,
        build: 'none',
        release: 'none',
        workload: undefined,
        image: null,
        trouble: null,
      }
    const [build] = await listBuilds(db, workload.applicationId, { limit: 1 })
    const [release] = await listReleases(db, workload.id, { limit: 1 })
    const hasServed = ((await findHead(db, workload.id))?.servingId ?? null) !== null
    const facts: SampleFacts = {
      seeded,
      hasWorkload: true,
      build: build === undefined ? 'none' : (ends[build.state] ?? 'running'),
      release: hasServed ? 'served' : releaseFact(release),
    }
    const part = troubleOf(facts)
    const trouble = part === 'build' ? build : part === 'release' ? release : undefined
    return {
      ...facts,
      workload,
      image: build?.image ?? null,
      trouble:
        part === undefined || trouble === undefined
          ? null
          : {
              part,
              subject: `${part === 'build' ? workload.name.split('/', 2).join('/') : workload.name}#${trouble.number}`,
              code: trouble.reason?.code ?? trouble.state,
              params: trouble.reason?.params ?? {},
            },
    }
  }

  return {
    name: NAME,
    keys: () => Promise.resolve([NAME]),
    resyncMs: RESYNC_MS,
    concurrency: 1,
    deadlineMs: DEADLINE_MS,
    async reconcile(context) {
      if (!hasFollowed) await followRepositories(context, join(context.settings.dataFolder, REPOSITORIES))
      hasFollowed = true
      const known = await context.transact(readFacts)
      if (known.workload) await tellAddress(context, known.workload, known.trouble)
      else if (known.seeded !== undefined) tell({ url: null, trouble: null })
      const step = planSample(known)
      await steps[step](context, known)
      const isUnknown = known.workload !== undefined && told === undefined
      // Whatever a person does about a trouble is to be seen soon.
      const isOver = step === 'done' && known.trouble === null && !isUnknown
      return { againInMs: isOver ? undefined : SOON_MS }
    },
  }
}

function releaseFact(release: { readonly endedAt: Date | null } | undefined): SampleFacts['release'] {
  if (release === undefined) return 'none'
  return release.endedAt === null ? 'running' : 'failed'
}

/** States of a build that lead anywhere else than to waiting. */
const ends: Readonly<Partial<Record<BuildState, SampleFacts['build']>>> = {
  Succeeded: 'succeeded',
  Failed: 'failed',
  Cancelled: 'failed',
}

/** Builds the sample's first commit, so that a person has a second one to build and release. */
async function build(context: ControlContext, workload: Workload, commit: string): Promise<void> {
  const { applicationId, environmentId, organizationId, projectId } = workload
  await context.transact(async (db) => {
    if ((await listBuilds(db, applicationId, { limit: 1 })).length > 0) return
    await actAsSystem(context, db, { action: 'build.start', organizationId, projectId }, (ctx) =>
      startBuild(ctx, { applicationId, environmentId, commit, ref: commit, isDefaultBranch: true }),
    )
  })
}

/** The first release; a person who was faster has one under way, and then there is nothing to do. */
async function release(
  context: ControlContext,
  clusters: Clusters,
  { workload, image }: { readonly workload: Workload; readonly image: string },
): Promise<void> {
  const connection = await clusters.connect(workload.clusterId)
  await context.transact(async (db) => {
    if ((await lastNumber(db, workload.id)) > 0) return
    const releasable = await resolveImage(db, workload.applicationId, image)
    if (!releasable) throw new Error(`the sample's image ${image} is gone`)
    const { organizationId, projectId, id } = workload
    const act = { action: 'release.start', target: `workload:${id}`, organizationId, projectId }
    await actAsSystem(context, db, act, (ctx) =>
      startRelease(ctx, {
        workloadId: id,
        image: releasable,
        plan: undefined,
        instances: INSTANCES,
        connection,
        settlePool,
      }),
    )
  })
}
