import { shorten } from '@slipway/kit'
import type { Live, Objects } from '@slipway/kube'

import { BUILD_LABEL } from '../fleet/index.ts'
import { jobNameOf, type Build, type BuildLimits } from './model.ts'
import type { JobFacts } from './plan.ts'

export const MANAGER = 'slipway-build'
const USER_ID = 65_532

export type JobInput = {
  readonly build: Build
  readonly installationId: string
  readonly image: string
  readonly pullSecret: string
  /** Settings of the Job's program, signed addresses among them. */
  readonly settings: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  readonly limits: BuildLimits
}

function labelsOf(input: Pick<JobInput, 'build' | 'installationId'>): Record<string, string> {
  return { [BUILD_LABEL]: input.build.id, 'slipway/installation': input.installationId }
}

/** One Job per attempt: never restarted, bounded in time, memory, disk and processes, without any right at the API. */
export function jobManifest(input: JobInput): Objects['jobs'] {
  const name = jobNameOf(input.build)
  const { memory, disk } = input.limits
  const annotations = {
    'slipway/isolation': 'build',
    'slipway/process-limit': String(input.limits.processes),
  }
  return {
    metadata: { name, namespace: input.build.namespace, labels: labelsOf(input) },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: input.timeoutSeconds,
      template: {
        metadata: { labels: labelsOf(input), annotations },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 2,
          imagePullSecrets: [{ name: input.pullSecret }],
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER_ID,
            fsGroup: USER_ID,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [{ name: 'work', emptyDir: { sizeLimit: disk } }],
          containers: [
            {
              name: 'build',
              image: input.image,
              imagePullPolicy: 'IfNotPresent',
              envFrom: [{ secretRef: { name } }],
              volumeMounts: [{ name: 'work', mountPath: '/app/work' }],
              resources: {
                requests: { cpu: '250m', memory: '256Mi' },
                limits: { memory, 'ephemeral-storage': disk },
              },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  }
}

/** Lies beside the Job and goes with it. */
export function settingsSecret(input: JobInput, jobUid: string): Objects['secrets'] {
  const name = jobNameOf(input.build)
  return {
    metadata: {
      name,
      namespace: input.build.namespace,
      labels: labelsOf(input),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: jobUid }],
    },
    type: 'Opaque',
    stringData: { ...input.settings },
  }
}

/** What the Cluster says about a Job and its pod. */
export function jobFactsOf(job: Live<'jobs'> | undefined, pod: Live<'pods'> | undefined): JobFacts {
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return { kind: 'absent' }
  const condition = (type: string) =>
    job.status?.conditions?.find((one) => one.type === type && one.status === 'True')
  if (condition('Complete')) return { kind: 'complete' }
  const failed = condition('Failed') ?? condition('FailureTarget')
  const container = pod?.status?.containerStatuses?.[0]
  const terminated = container?.state?.terminated
  if (failed)
    return {
      kind: 'failed',
      jobReason: failed.reason ?? '',
      podReason: pod?.status?.reason ?? terminated?.reason ?? '',
      podMessage: pod?.status?.message ?? terminated?.message ?? '',
      exitCode: terminated?.exitCode,
    }
  const waiting = container?.state?.waiting
  if (waiting?.message !== undefined)
    return { kind: 'running', progress: shorten(`${waiting.reason ?? ''}: ${waiting.message}`, 300) }
  return { kind: 'running', progress: container?.state?.running ? 'running' : 'starting' }
}
