import { createHash } from 'node:crypto'

import { readAgentProgram } from '@slipway/agent'
import { canonicalJson } from '@slipway/kit'
import type { Objects } from '@slipway/kube'
import { stringify } from 'yaml'

import { ACCOUNT, manifestYaml, SYSTEM_NAMESPACE } from './manifests.ts'
import type { OwnerMark } from './model.ts'

const NAME = 'slipway-agent'
const LABELS = { 'app.kubernetes.io/managed-by': 'slipway', 'app.kubernetes.io/name': NAME }
const TOKEN_FOLDER = '/var/run/slipway'
const PROGRAM_FOLDER = '/opt/slipway'
const PROGRAM_FILE = 'slipway-agent.mjs'
const AUTHORITY_FILE = 'authority.crt'

export type AgentManifest = {
  readonly mark: OwnerMark
  readonly image: string
  readonly imagePullSecret: string | undefined
  readonly token: string
  /** Where agents find the platform. */
  readonly platformUrl: string
  readonly allowPlainHttp: boolean
  /** PEM of the authorities by which the agent trusts the platform; undefined for those of its image. */
  readonly authority: string | undefined
  /** Base address of the gateway that an operator named. */
  readonly gatewayUrl: string | undefined
}

/** Everything that a Cluster needs to dial out: the account with its roles, and the agent that acts as it. */
export async function agentManifestYaml(about: AgentManifest): Promise<string> {
  const metadata = { name: NAME, namespace: SYSTEM_NAMESPACE, labels: LABELS }
  const program = await readAgentProgram()
  const authority = about.authority === undefined ? {} : { [AUTHORITY_FILE]: about.authority }
  const files = { [PROGRAM_FILE]: program, ...authority }
  const programHash = createHash('sha256').update(canonicalJson(files)).digest('hex').slice(0, 16)
  const objects: readonly object[] = [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token: about.token } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: files },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec({ ...about, programHash }) },
  ]
  const documents = objects.map((one) => stringify(one, { aliasDuplicateObjects: false, lineWidth: 0 }))
  return [manifestYaml(about.mark), ...documents].join('---\n')
}

function deploymentSpec(
  about: AgentManifest & { readonly programHash: string },
): NonNullable<Objects['deployments']['spec']> {
  return {
    replicas: 1,
    selector: { matchLabels: { 'app.kubernetes.io/name': NAME } },
    template: {
      // What is mounted changes in a pod that runs; what the program is, and whom it trusts, it learns at its start.
      metadata: { labels: LABELS, annotations: { 'slipway/program': about.programHash } },
      spec: {
        serviceAccountName: ACCOUNT,
        automountServiceAccountToken: true,
        ...(about.imagePullSecret !== undefined && { imagePullSecrets: [{ name: about.imagePullSecret }] }),
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
            env: environmentOf(about),
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

function environmentOf(about: AgentManifest): { readonly name: string; readonly value: string }[] {
  const { platformUrl, allowPlainHttp, authority, gatewayUrl } = about
  const all = {
    SLIPWAY_URL: platformUrl,
    SLIPWAY_AGENT_TOKEN_FILE: `${TOKEN_FOLDER}/token`,
    ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: `${PROGRAM_FOLDER}/${AUTHORITY_FILE}` }),
    ...(allowPlainHttp && { SLIPWAY_ALLOW_PLAIN_HTTP: 'true' }),
    ...(gatewayUrl !== undefined && { SLIPWAY_GATEWAY_URL: gatewayUrl }),
  }
  return Object.entries(all).map(([name, value]) => ({ name, value }))
}
