import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { findCliText } from '@slipway/messages'
import { endpoints } from '@slipway/sdk'

import { commands } from '../commands/table.ts'
import type { Deps } from '../deps.ts'
import { rootCommand } from '../globals.ts'
import { addCommands, chosenOf } from '../program.ts'
import { printable } from '../output/width.ts'

const DEADLINE_MS = 120
const CANDIDATES_MAX = 100

type Candidate = { readonly word: string; readonly about: string }

/**
 * Candidates for the last of `words`, one per line with a tab and a description. Names come from the server within a
 * deadline; whatever goes wrong there gives no names and no message, because a person is typing.
 */
export async function complete(deps: Deps, words: readonly string[]): Promise<readonly string[]> {
  const before = words.slice(0, -1)
  const unfinished = words.at(-1) ?? ''
  const candidates = await candidatesFor(deps, before, unfinished)
  return candidates
    .filter(({ word }) => word.startsWith(unfinished))
    .slice(0, CANDIDATES_MAX)
    .map(({ word, about }) => `${printable(word)}\t${printable(about)}`)
}

async function candidatesFor(
  deps: Deps,
  before: readonly string[],
  unfinished: string,
): Promise<readonly Candidate[]> {
  const root = rootCommand(deps.text, deps.version)
  const { operands } = root.parseOptions([...before])
  const chosen = chosenOf(operands)
  if (chosen.noun === undefined)
    return unfinished.startsWith('-') ? optionsOf(root) : nounsOf(deps, '', Object.keys(commands))
  const entry = commands[chosen.noun]
  if (typeof entry === 'object' && chosen.verb === undefined)
    return nounsOf(deps, `${chosen.noun}.`, Object.keys(entry))
  await addCommands(root, deps, chosen)
  const command = commandOf(root, chosen.noun, chosen.verb)
  const awaiting = optionAwaiting([...command.options, ...root.options], before.at(-1))
  if (awaiting) return awaiting.argChoices?.map(plain) ?? namesOf(deps, nameOf(awaiting))
  if (unfinished.startsWith('-')) return [...optionsOf(command), ...optionsOf(root)]
  const given = command.parseOptions(before.slice(before.indexOf(chosen.verb ?? chosen.noun) + 1)).operands
  const argument =
    command.registeredArguments[given.length] ?? command.registeredArguments.find((one) => one.variadic)
  return argument === undefined ? [] : (argument.argChoices?.map(plain) ?? namesOf(deps, argument.name()))
}

function commandOf(root: CommandUnknownOpts, noun: string, verb: string | undefined): CommandUnknownOpts {
  const group = root.commands.find((command) => command.name() === noun)
  return group?.commands.find((command) => command.name() === verb) ?? group ?? root
}

function nounsOf(deps: Deps, prefix: string, words: readonly string[]): readonly Candidate[] {
  return words.map((word) => ({ word, about: findCliText(deps.language, prefix + word) ?? '' }))
}

const plain = (word: string): Candidate => ({ word, about: '' })

function optionsOf(command: CommandUnknownOpts): readonly Candidate[] {
  return command.options.map((option) => ({
    word: option.long ?? option.short ?? '',
    about: option.description,
  }))
}

/** The option whose value is being written, if the word before is one that takes a value. */
function optionAwaiting(options: readonly Option[], previous: string | undefined): Option | undefined {
  return options.find((option) => option.required && (option.long === previous || option.short === previous))
}

function nameOf(option: Option): string {
  return /<([a-z]+)>/u.exec(option.flags)?.[1] ?? ''
}

/** Names of one kind: what an argument or an option's value is called says which. */
async function namesOf(deps: Deps, kind: string): Promise<readonly Candidate[]> {
  if (kind === 'context' || (kind === 'name' && deps.globals.context !== undefined))
    return Object.entries(deps.config.read().contexts).map(([word, { server }]) => ({ word, about: server }))
  if (kind === 'operation') return Object.keys(endpoints).map(plain)
  try {
    return await askServer(deps, kind)
  } catch {
    // Offline, signed out or too slow: completion stays silent.
    return []
  }
}

async function askServer(deps: Deps, kind: string): Promise<readonly Candidate[]> {
  const { bearer, context } = deps.server()
  if (bearer === undefined) return []
  const client = deps.connect({ bearer, timeoutMs: DEADLINE_MS, attemptsMax: 1 })
  const request = { limit: CANDIDATES_MAX }
  const call = { signal: deps.signal }
  switch (kind) {
    case 'organization':
    case 'chain': {
      const { items } = await client.listOrganizations(request, call)
      return items.map(({ slug, name }) => ({ word: slug, about: name }))
    }
    case 'project': {
      const { items } = await client.listProjects(request, call)
      return items.map(({ slug, name }) => ({ word: slug, about: name }))
    }
    case 'environment': {
      if (context?.project === undefined) return []
      const { items: projects } = await client.listProjects({ slug: context.project }, call)
      const { items } = await client.listEnvironments({ project: projects[0]?.id ?? '', ...request }, call)
      return items.map(({ slug, name }) => ({ word: slug, about: name }))
    }
    case 'cluster': {
      const { items } = await client.listClusters(request, call)
      return items.map(({ slug, name }) => ({ word: slug, about: name }))
    }
    case 'application': {
      const { items } = await client.listApplications(request, call)
      return items.map(({ id, slug, name }) => ({ word: id, about: `${slug} ${name}` }))
    }
    case 'instance':
    case 'release':
    case 'workload': {
      const { items } = await client.listWorkloads(request, call)
      return items.map(({ name }) => ({ word: name, about: '' }))
    }
    case 'user': {
      const { items } = await client.listUsers(request, call)
      return items.map(({ name, displayName }) => ({ word: name, about: displayName }))
    }
    case 'token': {
      const { items } = await client.listTokens(request, call)
      return items.map(({ id, name }) => ({ word: id, about: name }))
    }
    default:
      return []
  }
}
