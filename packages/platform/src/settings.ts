import { z } from 'zod'

import { parseAllowance } from './outbound/addresses.ts'

/** As Kubernetes writes sizes, in the two units that fit. */
const Size = z.string().regex(/^[1-9][0-9]{0,5}(?:Mi|Gi)$/u, { message: 'a size such as 512Mi or 2Gi' })

const Settings = z.strictObject({
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
  /** Folder with the sources of the sample applications; the sample is made from it once. */
  sampleFolder: z.string().min(1).optional(),
  /** Folder of the built console, which may appear later; without it there is no console. */
  consoleFolder: z.string().min(1).optional(),
  /** True when the data folder's lock proves that no other replica can be there. */
  soleReplica: z.stringbool().default(false),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
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
  trustedProxies: 'SLIPWAY_TRUSTED_PROXIES',
  dataFolder: 'SLIPWAY_DATA',
  localKubeconfig: 'SLIPWAY_LOCAL_KUBECONFIG',
  localSourceRoots: 'SLIPWAY_LOCAL_SOURCE_ROOTS',
  outboundAllow: 'SLIPWAY_OUTBOUND_ALLOW',
  buildMemory: 'SLIPWAY_BUILD_MEMORY',
  buildDisk: 'SLIPWAY_BUILD_DISK',
  buildProcesses: 'SLIPWAY_BUILD_PROCESSES',
  sampleFolder: 'SLIPWAY_SAMPLE',
  consoleFolder: 'SLIPWAY_CONSOLE',
  soleReplica: 'SLIPWAY_SOLE_REPLICA',
  logLevel: 'SLIPWAY_LOG_LEVEL',
}

/** Holds the master key as text, so that it need not stand in the environment. */
const MASTER_KEY_FILE = 'SLIPWAY_MASTER_KEY_FILE'

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
  const keyFile = environment[MASTER_KEY_FILE]
  const masterKey = keyFile === undefined ? {} : { masterKey: (await readText(keyFile)).trim() }
  return checkSettings({ ...Object.fromEntries(given), ...masterKey })
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
