import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { findCliText } from '@slipway/messages'

import { addTo } from './command.ts'
import { commands, type Loader } from './commands/table.ts'
import type { Deps } from './deps.ts'
import type { rootCommand } from './globals.ts'

/** The words that choose a command: a noun and a verb, or one word. */
export type Chosen = { readonly noun: string | undefined; readonly verb: string | undefined }

/** Which command the operands of a command line name. Pure. */
export function chosenOf(operands: readonly string[]): Chosen {
  const [noun, verb] = operands
  if (noun === undefined || !Object.hasOwn(commands, noun)) return { noun: undefined, verb: undefined }
  const entry = commands[noun]
  const hasVerb = typeof entry === 'object' && verb !== undefined && Object.hasOwn(entry, verb)
  return { noun, verb: hasVerb ? verb : undefined }
}

/**
 * Adds every command to the root: the chosen one whole, the others as a name and a summary, so that help and did-you-mean
 * know them and only one module is loaded.
 */
export async function addCommands(
  root: ReturnType<typeof rootCommand>,
  deps: Deps,
  chosen: Chosen,
): Promise<void> {
  configure(root, deps)
  for (const [noun, entry] of Object.entries(commands)) {
    if (typeof entry === 'function') {
      addTo(root, noun === chosen.noun ? await load(entry, deps) : stubOf(deps, noun, noun))
      continue
    }
    const group = new Command(noun).description(summaryOf(deps, noun)).helpCommand(false)
    addTo(root, group)
    for (const [verb, loader] of Object.entries(entry)) {
      const isChosen = noun === chosen.noun && verb === chosen.verb
      addTo(group, isChosen ? await load(loader, deps) : stubOf(deps, verb, `${noun}.${verb}`))
    }
  }
}

async function load(loader: Loader, deps: Deps): Promise<CommandUnknownOpts> {
  const make = await loader()
  return make(deps)
}

function stubOf(deps: Deps, name: string, key: string): CommandUnknownOpts {
  return new Command(name).description(summaryOf(deps, key))
}

function summaryOf(deps: Deps, key: string): string {
  return findCliText(deps.language, key) ?? ''
}

/** Commander's headings are English constants; they are put into the reader's language on their way out. */
function configure(root: ReturnType<typeof rootCommand>, { text, io }: Deps): void {
  const headings: Readonly<Record<string, string>> = {
    'Usage:': text('help.usage'),
    'Arguments:': text('help.arguments'),
    'Options:': text('help.options'),
    'Commands:': text('help.commands'),
    'Global Options:': text('help.globalOptions'),
  }
  root
    .exitOverride()
    .configureOutput({
      writeOut: (help) => void io.out(help),
      writeErr: (help) => io.complain(help.trimEnd()),
      // Errors are told by `refusal.ts`, in the reader's language.
      outputError: () => undefined,
    })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => headings[title] ?? title,
      commandUsage: (command) => usageOf(command, text),
      optionDescription(option) {
        const extras = [
          ...(option.argChoices ? [text('help.choices', { values: option.argChoices.join(', ') })] : []),
          ...(option.defaultValue !== undefined && !option.negate && typeof option.defaultValue !== 'boolean'
            ? [text('help.default', { value: option.defaultValueDescription ?? String(option.defaultValue) })]
            : []),
        ]
        return extras.length === 0 ? option.description : `${option.description} (${extras.join('; ')})`
      },
    })
}

function usageOf(command: CommandUnknownOpts, text: Deps['text']): string {
  const names: string[] = []
  for (let at: CommandUnknownOpts | null = command; at; at = at.parent) names.unshift(at.name())
  const words = command.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? '...' : '')
    return argument.required ? `<${name}>` : `[${name}]`
  })
  const below = command.commands.length > 0 ? [text('help.commandWord')] : []
  return [...names, ...below, ...words, text('help.optionsWord')].join(' ')
}
