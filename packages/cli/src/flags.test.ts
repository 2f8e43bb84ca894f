import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { commandLines } from '@slipway/contract'
import { cliText, findCliText, languages } from '@slipway/messages'
import { describe, expect, test } from 'vitest'

import { timeoutOption } from './command.ts'
import { api } from './commands/api.ts'
import { auditList } from './commands/audit/list.ts'
import { buildShow } from './commands/build/show.ts'
import { buildStart } from './commands/build/start.ts'
import { contextSet } from './commands/context/set.ts'
import { environmentCreate } from './commands/environment/create.ts'
import { imageDelete } from './commands/image/delete.ts'
import { imageImport } from './commands/image/import.ts'
import { login } from './commands/login.ts'
import { memberSet } from './commands/member/set.ts'
import { locationCreate } from './commands/location/create.ts'
import { locationGrant } from './commands/location/grant.ts'
import { locationGrants } from './commands/location/grants.ts'
import { locationRefuse } from './commands/location/refuse.ts'
import { locationRequest } from './commands/location/request.ts'
import { locationUpdate } from './commands/location/update.ts'
import { nodeCancelDrain } from './commands/node/cancel-drain.ts'
import { nodeDrain } from './commands/node/drain.ts'
import { nodeEvacuations } from './commands/node/evacuations.ts'
import { clusterManifest } from './commands/cluster/manifest.ts'
import { clusterRegister } from './commands/cluster/register.ts'
import { clusterRenewCredentials } from './commands/cluster/renew-credentials.ts'
import { clusterRotateCredentials } from './commands/cluster/rotate-credentials.ts'
import { gateApprove } from './commands/gate/approve.ts'
import { instanceExec } from './commands/instance/exec.ts'
import { instanceList } from './commands/instance/list.ts'
import { logs } from './commands/logs.ts'
import { poolCreate } from './commands/pool/create.ts'
import { poolRent } from './commands/pool/rent.ts'
import { poolRents } from './commands/pool/rents.ts'
import { poolUpdate } from './commands/pool/update.ts'
import { releasePin } from './commands/release/pin.ts'
import { releaseRollback } from './commands/release/rollback.ts'
import { releaseStart } from './commands/release/start.ts'
import { workloadKeep } from './commands/workload/keep.ts'
import { workloadPlace } from './commands/workload/place.ts'
import { workloadPool } from './commands/workload/pool.ts'
import { workloadScale } from './commands/workload/scale.ts'
import { workloadSet } from './commands/workload/set.ts'
import { workloadStatus } from './commands/workload/status.ts'
import { sourceSet } from './commands/source/set.ts'
import { commands, type Loader } from './commands/table.ts'
import { tokenCreate } from './commands/token/create.ts'
import { userUpdate } from './commands/user/update.ts'
import type { Deps } from './deps.ts'
import { Exit, type ExitCode } from './exit.ts'
import { rootCommand } from './globals.ts'
import { addCommands, chosenOf } from './program.ts'

/* Flags → options: what a command line means, without running anything. */

/** As much of Deps as reading a command line needs; whatever else a command touched would fail. */
const deps = {
  text: (key: never) => cliText('en', key),
  language: 'en',
  io: { out: () => Promise.resolve(), complain: () => undefined },
  exit: async (code: Promise<ExitCode>) => void (await code),
} as unknown as Deps

type Maker = (deps: Deps, run: (deps: Deps, ...given: never[]) => Promise<ExitCode>) => CommandUnknownOpts

async function read(make: Maker, words: readonly string[]): Promise<unknown[]> {
  let given: unknown[] = []
  const command = make(deps, (_, ...rest) => {
    given = rest
    return Promise.resolve(Exit.ok)
  })
  await command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .parseAsync([...words], { from: 'user' })
  return given
}

const cases: [line: string, make: unknown, expected: unknown[]][] = [
  ['ci --expires-in-days 30 --dry-run', tokenCreate, ['ci', { expiresInDays: 30, dryRun: true }]],
  ['ci', tokenCreate, ['ci', { expiresInDays: 90 }]],
  ['li.wei --role owner --organization acme', memberSet, ['li.wei', { role: 'owner', organization: 'acme' }]],
  [
    'li.wei --role operator --role auditor --enable',
    userUpdate,
    ['li.wei', { role: ['operator', 'auditor'], enable: true, roles: true }],
  ],
  ['li.wei --no-roles', userUpdate, ['li.wei', { roles: false }]],
  ['shop/test --cluster beijing', environmentCreate, ['shop/test', { cluster: 'beijing' }]],
  ['--from 2026-01-31 --limit 5', auditList, [{ from: '2026-01-31T00:00:00.000Z', limit: 5 }]],
  ['--name li.wei --password-stdin', login, [{ name: 'li.wei', passwordStdin: true }]],
  ['--device', login, [{ device: true }]],
  ['here --project shop', contextSet, ['here', { project: 'shop' }]],
  [
    'api --image 1.4.0 --steps 1,person --instances web=4,worker=2 --instances cron=1 --timeout 5m',
    releaseStart,
    [
      'api',
      { image: '1.4.0', steps: '1,person', instances: { web: 4, worker: 2, cron: 1 }, timeout: 300_000 },
    ],
  ],
  [
    'api rel_1 --keep-configuration --ci',
    releaseRollback,
    ['api', 'rel_1', { keepConfiguration: true, ci: true, timeout: 3_600_000 }],
  ],
  [
    'api --image 1 --capacity lower',
    releaseStart,
    ['api', { image: '1', capacity: 'lower', timeout: 3_600_000 }],
  ],
  ['api#12 --off', releasePin, ['api#12', { off: true }]],
  ['api --comment fine', gateApprove, ['api', { comment: 'fine' }]],
  [
    'api A=1 B=2 --secret C --secret D=4 --unset E',
    workloadSet,
    ['api', ['A=1', 'B=2'], { secret: ['C', 'D=4'], unset: ['E'] }],
  ],
  ['api --clear --process worker', workloadPlace, ['api', undefined, { clear: true, process: 'worker' }]],
  ['api --none', workloadPool, ['api', undefined, { none: true }]],
  ['api 4 --process worker', workloadScale, ['api', 4, { process: 'worker' }]],
  [
    '--health Down --project shop',
    workloadStatus,
    [undefined, { health: 'Down', project: 'shop', limit: 100 }],
  ],
  ['api 10m', workloadKeep, ['api', 600_000, {}]],
  ['api --state Failing', instanceList, ['api', { state: 'Failing', limit: 100 }]],
  ['-it api -- sh -c ls', instanceExec, ['api', ['sh', '-c', 'ls'], { stdin: true, terminal: true }]],
  [
    '-f api --since 10m --filter ERROR --timestamps',
    logs,
    ['api', { follow: true, since: '10m', filter: 'ERROR', timestamps: true }],
  ],
  ['beijing --kubeconfig - --default', clusterRegister, ['beijing', { kubeconfig: '-', default: true }]],
  ['beijing --dry-run', clusterRotateCredentials, ['beijing', { dryRun: true }]],
  ['beijing --kubeconfig -', clusterRenewCredentials, ['beijing', { kubeconfig: '-' }]],
  ['--', clusterManifest, []],
  [
    'beijing n1 --timeout 30m --detach',
    nodeDrain,
    [
      { cluster: 'beijing', node: 'n1' },
      { timeout: 1_800_000, detach: true },
    ],
  ],
  ['east --restricted --default', locationCreate, ['east', { restricted: true, default: true }]],
  ['east --open', locationUpdate, ['east', { open: true }]],
  ['east --project shop --reason soon', locationRequest, ['east', { project: 'shop', reason: 'soon' }]],
  [
    'beijing gpu --node n1 --node n2 --labels gpu=a100,zone=b --exclusive',
    poolCreate,
    [
      { cluster: 'beijing', slug: 'gpu' },
      { node: ['n1', 'n2'], labels: { gpu: 'a100', zone: 'b' }, exclusive: true },
    ],
  ],
  ['gpu --open --only-named', poolUpdate, ['gpu', { open: true, onlyNamed: true }]],
  [
    'gpu --project shop --until 90d --default --strangers stay --comment sale',
    poolRent,
    ['gpu', { project: 'shop', until: '90d', default: true, strangers: 'stay', comment: 'sale' }],
  ],
  ['--state Ending --pool gpu', poolRents, [{ state: 'Ending', pool: 'gpu', limit: 100 }]],
  ['--state Granted', locationGrants, [{ state: 'Granted', limit: 100 }]],
  ['lgr_1 --until 90d', locationGrant, [{ grant: 'lgr_1', granted: true }, { until: '90d' }]],
  ['lgr_1 --comment no', locationRefuse, [{ grant: 'lgr_1', granted: false }, { comment: 'no' }]],
  ['--kind loss --node n1', nodeEvacuations, [{ kind: 'loss', node: 'n1', limit: 100 }]],
  ['eva_1 --keep-cordoned', nodeCancelDrain, ['eva_1', { keepCordoned: true }]],
  [
    'shop/api --ref v1 --detach --timeout 10m',
    buildStart,
    ['shop/api', { ref: 'v1', detach: true, timeout: 600_000 }],
  ],
  ['shop/api#7', buildShow, ['shop/api#7']],
  [
    'shop/api https://git.example/a.git --username ci --token-stdin --no-verify',
    sourceSet,
    [
      { given: 'shop/api', url: 'https://git.example/a.git' },
      { username: 'ci', tokenStdin: true, credentials: true, verify: false },
    ],
  ],
  ['shop/api:build-7 --dry-run', imageDelete, ['shop/api:build-7', { dryRun: true }]],
  ['base/node:24 -', imageImport, [{ name: 'base/node:24', archive: '-' }]],
  ['listProjects limit=3 --all', api, ['listProjects', ['limit=3'], { all: true }]],
]
test.each(cases)('%s', async (line, make, expected) => {
  expect(await read(make as Maker, line.split(' '))).toEqual(expected)
})

const refused: [line: string, make: unknown][] = [
  ['api', releaseStart],
  ['api 501', workloadScale],
  ['api soon', workloadKeep],
  ['api --state Sad', instanceList],
  ['--kind sad', nodeEvacuations],
  ['--state sad', locationGrants],
  ['beijing gpu --labels gpu', poolCreate],
  ['gpu --open --exclusive', poolUpdate],
  ['gpu --project shop', poolRent],
  ['gpu --until 9d --strangers kill', poolRent],
  ['east --open --restricted', locationUpdate],
  ['api --tail -1', logs],
  ['ci --expires-in-days 0', tokenCreate],
  ['ci --expires-in-days 1.5', tokenCreate],
  ['li.wei --role king', memberSet],
  ['li.wei', memberSet],
  ['li.wei --disable --enable', userUpdate],
  ['li.wei --role operator --no-roles', userUpdate],
  ['--from yesterday', auditList],
  ['--chain installation --organization acme', auditList],
  ['--token x --name y', login],
  ['--device --name y', login],
]
test.each(refused)('%s is refused', async (line, make) => {
  await expect(read(make as Maker, line.split(' '))).rejects.toThrow(/error:/u)
})

test('a duration is given in words and read as milliseconds', () => {
  const read = (...words: string[]): unknown =>
    new Command()
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .addOption(timeoutOption(deps, { seconds: 900 }))
      .parse(words, { from: 'user' })
      .opts()
  expect(read()).toEqual({ timeout: 900_000 })
  expect(read('--timeout', '10m')).toEqual({ timeout: 600_000 })
  expect(() => read('--timeout', 'soon')).toThrow('soon')
})

const all: [string, Loader][] = Object.entries(commands).flatMap(([noun, entry]): [string, Loader][] =>
  typeof entry === 'function'
    ? [[noun, entry]]
    : Object.entries(entry).map(([verb, loader]) => [`${noun}.${verb}`, loader]),
)

describe('every command', () => {
  test.each(all)(
    '%s has a summary in every language, its own name and examples that it understands',
    async (key, loader) => {
      for (const language of languages) expect(findCliText(language, key)).toBeTruthy()
      const make = await loader()
      const command = make(deps)
      expect(command.name()).toBe(key.split('.').at(-1))
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      const examples = [...help.matchAll(/^ {2}slipway (.+)$/gmu)].map((match) => match[1] ?? '')
      expect(examples.length).toBeGreaterThan(0)
      for (const example of examples) await understands(example)
    },
  )

  test('a change of the platform offers --dry-run', async () => {
    const changing = new Set(['create', 'update', 'delete', 'set', 'remove', 'password'])
    for (const [key, loader] of all) {
      const [noun, verb] = key.split('.')
      if (noun === 'context' || verb === undefined || !changing.has(verb)) continue
      const make = await loader()
      const options = make(deps).options.map((option) => option.long)
      expect(options, key).toContain('--dry-run')
    }
  })
})

test.each(Object.entries(commandLines))('the line shown beside %s is understood: %s', async (_, line) => {
  const [noun = ''] = line.split(' ')
  // Other nouns come with their modules; their lines are read once they stand in the table.
  if (!Object.hasOwn(commands, noun)) return
  await understands(line.replaceAll(/<role>/gu, 'owner').replaceAll(/<[a-zA-Z]+>/gu, 'x'))
})

/** Reads a line with every action taken out. */
async function understands(line: string): Promise<void> {
  const words = [...line.replace(/ [<>] \S+$/u, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/gu)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  )
  const root = rootCommand(deps.text, '0').exitOverride()
  const chosen = chosenOf(root.parseOptions(words).operands)
  await addCommands(root, deps, chosen)
  for (const command of [...root.commands, ...root.commands.flatMap((group) => group.commands)])
    command.action(() => undefined)
  await expect(root.parseAsync(words, { from: 'user' }), line).resolves.toBeDefined()
}
