import { readAgentProgram } from '@slipway/agent'
import type { Objects } from '@slipway/kube'
import { stringify } from 'yaml'

import { ACCOUNT, manifestYaml, SYSTEM_NAMESPACE } from './manifests.ts'
import type { OwnerMark } from './model.ts'

const NAME = 'slipway-agent'
const LABELS = { 'app.kubernetes.io/managed-by': 'slipway', 'app.kubernetes.io/name': NAME }
const TOKEN_FOLDER = '/var/run/slipway'
const PROGRAM_FOLDER = '/opt/slipway'
const PROGRAM_FILE = 'slipway-agent.mjs'

export type AgentManifest = {
  readonly mark: OwnerMark
  readonly image: string
  readonly token: string
  /** Where agents find the platform. */
  readonly platformUrl: string
  readonly allowPlainHttp: boolean
}

/** Everything that a Cluster needs to dial out: the account with its roles, and the agent that acts as it. */
export async function agentManifestYaml(about: AgentManifest): Promise<string> {
  const metadata = { name: NAME, namespace: SYSTEM_NAMESPACE, labels: LABELS }
  const program = await readAgentProgram()
  const objects: readonly object[] = [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token: about.token } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [PROGRAM_FILE]: program } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec(about) },
  ]
  const documents = objects.map((one) => stringify(one, { aliasDuplicateObjects: false, lineWidth: 0 }))
  return [manifestYaml(about.mark), ...documents].join('---\n')
}

function deploymentSpec(about: AgentManifest): NonNullable<Objects['deployments']['spec']> {
  return {
    replicas: 1,
    // Two at once would take the connection from each other.
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { 'app.kubernetes.io/name': NAME } },
    template: {
      metadata: { labels: LABELS },
      spec: {
        serviceAccountName: ACCOUNT,
        automountServiceAccountToken: true,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65_532,
          runAsGroup: 65_532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'agent',
            image: about.image,
            command: ['node', `${PROGRAM_FOLDER}/${PROGRAM_FILE}`],
            env: [
              { name: 'SLIPWAY_URL', value: about.platformUrl },
              { name: 'SLIPWAY_AGENT_TOKEN_FILE', value: `${TOKEN_FOLDER}/token` },
              ...(about.allowPlainHttp ? [{ name: 'SLIPWAY_ALLOW_PLAIN_HTTP', value: 'true' }] : []),
            ],
            resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'token', mountPath: TOKEN_FOLDER, readOnly: true },
              { name: 'program', mountPath: PROGRAM_FOLDER, readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'token', secret: { secretName: NAME } },
          { name: 'program', configMap: { name: NAME } },
        ],
      },
    },
  }
}
