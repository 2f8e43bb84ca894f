import { z } from 'zod'

import { blobFields, blobFiles, blobNames, missingBlobSettings } from './blob-settings.ts'
import { parseAllowance } from './outbound/addresses.ts'

/** As Kubernetes writes sizes, in the two units that fit. */
const Size = z.string().regex(/^[1-9][0-9]{0,5}(?:Mi|Gi)$/u, { message: 'a size such as 512Mi or 2Gi' })

const Fields = z.strictObject({
  /** Connection of the application's role. */
  databaseUrl: z.string().min(1),
  /** Connection of the owner, for migrations. */
  databaseOwnerUrl: z.string().min(1),
  /** 32 bytes, base64. */
  masterKey: z.string().min(43).max(44),
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(7447),
  /** What links and cookies use; without it http://localhost:<port>. */
  publicUrl: z.url({ protocol: /^https?$/u }).optional(),
  allowPlainHttp: z.stringbool().default(false),
  /** PEM files of the certificate that callers see, and of its key; both or none. Read again when they change. */
  tlsCertificateFile: z.string().min(1).optional(),
  tlsKeyFile: z.string().min(1).optional(),
  /** PEM of the authorities by which builds and agents trust the public address; without it those of their own system. */
  authority: z
    .string()
    .max(256 * 1024)
    .refine((pem) => pem.includes('-----BEGIN CERTIFICATE-----'), { message: 'holds no PEM certificate' })
    .optional(),
  /** Proxies whose X-Forwarded-For is believed, as CIDR blocks. */
  trustedProxies: z
    .string()
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .default([]),
  dataFolder: z.string().min(1),
  localKubeconfig: z.string().optional(),
  /** Folders below which git sources may lie on this machine. */
  localSourceRoots: z
    .string()
    .transform((text) => text.split(':').filter((part) => part !== ''))
    .default([]),
  /** Private addresses that the platform may connect to at a user's wish, as CIDR blocks with a port: `10.0.0.0/8:443`. */
  outboundAllow: z
    .string()
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .refine((parts) => parts.every((part) => parseAllowance(part) !== undefined), {
      message: 'CIDR blocks with a port, such as 10.0.0.0/8:443 or [fd00::/8]:*',
    })
    .default([]),
  /** What one build may take: memory, disk, and processes at once. */
  buildMemory: Size.default('2Gi'),
  buildDisk: Size.default('8Gi'),
  buildProcesses: z.coerce.number().int().min(16).max(100_000).default(1_024),
  ...blobFields,
  /** Folder with the sources of the sample applications; the sample is made from it once. */
  sampleFolder: z.string().min(1).optional(),
  /** Folder of the built console, which may appear later; without it there is no console. */
  consoleFolder: z.string().min(1).optional(),
  /** How long it still answers after it was told to end and says so, for whoever sends callers to replicas. */
  drainSeconds: z.coerce.number().int().min(0).max(10).default(0),
  /** True when the data folder's lock proves that no other replica can be there. */
  soleReplica: z.stringbool().default(false),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
})

/** Passwords and images must not be readable on a network unless somebody has said so. */
const Settings = Fields.superRefine((settings, context) => {
  const hasCertificate = settings.tlsCertificateFile !== undefined
  const problem = (key: keyof z.output<typeof Fields>, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message })
  if (hasCertificate !== (settings.tlsKeyFile !== undefined))
    problem(hasCertificate ? 'tlsKeyFile' : 'tlsCertificateFile', 'certificate and key are given together')
  if (hasCertificate && settings.publicUrl?.startsWith('https://') !== true)
    problem('publicUrl', 'with a certificate it is an https address')
  for (const key of missingBlobSettings(settings))
    problem(key, 'a bucket takes endpoint, name, access key and secret key')
  const isOpen = !/^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/u.test(settings.host)
  if (isOpen && !hasCertificate && !settings.allowPlainHttp)
    problem('host', 'beyond this machine it needs SLIPWAY_TLS_CERTIFICATE, or SLIPWAY_ALLOW_PLAIN_HTTP=true')
})
export type Settings = z.output<typeof Settings>
export type SettingsInput = z.input<typeof Settings>

const names: Readonly<Record<keyof Settings, string>> = {
  databaseUrl: 'DATABASE_URL',
  databaseOwnerUrl: 'DATABASE_OWNER_URL',
  masterKey: 'SLIPWAY_MASTER_KEY',
  host: 'SLIPWAY_HOST',
  port: 'SLIPWAY_PORT',
  publicUrl: 'SLIPWAY_PUBLIC_URL',
  allowPlainHttp: 'SLIPWAY_ALLOW_PLAIN_HTTP',
  tlsCertificateFile: 'SLIPWAY_TLS_CERTIFICATE',
  tlsKeyFile: 'SLIPWAY_TLS_KEY',
  authority: 'SLIPWAY_AUTHORITY',
  trustedProxies: 'SLIPWAY_TRUSTED_PROXIES',
  dataFolder: 'SLIPWAY_DATA',
  localKubeconfig: 'SLIPWAY_LOCAL_KUBECONFIG',
  localSourceRoots: 'SLIPWAY_LOCAL_SOURCE_ROOTS',
  outboundAllow: 'SLIPWAY_OUTBOUND_ALLOW',
  buildMemory: 'SLIPWAY_BUILD_MEMORY',
  buildDisk: 'SLIPWAY_BUILD_DISK',
  buildProcesses: 'SLIPWAY_BUILD_PROCESSES',
  ...blobNames,
  sampleFolder: 'SLIPWAY_SAMPLE',
  consoleFolder: 'SLIPWAY_CONSOLE',
  drainSeconds: 'SLIPWAY_DRAIN_SECONDS',
  soleReplica: 'SLIPWAY_SOLE_REPLICA',
  logLevel: 'SLIPWAY_LOG_LEVEL',
}

/** Files that hold a setting's text, so that it need not stand in the environment. */
const files = {
  masterKey: 'SLIPWAY_MASTER_KEY_FILE',
  authority: 'SLIPWAY_AUTHORITY_FILE',
  ...blobFiles,
} as const

/**
 * Reads the settings from environment variables; the only place that does.
 * @throws {Error} that names every variable that is missing or wrong, without its value
 */
export async function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  readText: (path: string) => Promise<string>,
): Promise<Settings> {
  const given = Object.entries(names).flatMap(([key, name]) =>
    environment[name] === undefined ? [] : [[key, environment[name]]],
  )
  const read: Record<string, string> = {}
  for (const [key, name] of Object.entries(files)) {
    const path = environment[name]
    if (path !== undefined) read[key] = (await readText(path)).trim()
  }
  return checkSettings({ ...Object.fromEntries(given), ...read })
}

/** Checks settings given as an object, as tests do. */
export function checkSettings(input: unknown): Settings {
  const result = Settings.safeParse(input)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => {
    const key = String(issue.path[0] ?? '')
    return `${key in names ? names[key as keyof Settings] : key}: ${issue.message}`
  })
  throw new Error(`settings: ${problems.join('; ')}`)
}
