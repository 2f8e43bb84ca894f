import { isRecord, must, parseJson, unreachable } from '@slipway/kit'
import { endpoints, type EndpointEntry, type FlatRequest, type OperationName } from '@slipway/sdk'

import { commandOf, dryRunOption } from '../command.ts'
import type { Deps } from '../deps.ts'
import { cliErrors } from '../errors.ts'
import { Exit, type ExitCode } from '../exit.ts'
import type { View } from '../output/table.ts'
import { mutationOptions } from '../server.ts'

export function api(deps: Deps, run = runApi) {
  return commandOf(deps, 'api', [
    'api listProjects limit=10',
    'api createProject organization=org_… slug=shop name=Shop --dry-run',
    'api updateUser user=usr_… platformRoles:=\'["auditor"]\'',
  ])
    .argument('<operation>', deps.text('api.operation'))
    .argument('[fields...]', deps.text('api.fields'))
    .option('--all', deps.text('api.all'))
    .addOption(dryRunOption(deps))
    .action((operation, fields, options) => deps.exit(run(deps, operation, fields, options)))
}

type Options = { readonly all?: boolean | undefined; readonly dryRun?: boolean | undefined }

/** Anything the API answers, value as it is. */
const anyView: View<unknown> = { columns: [], name: (value) => idOf(value) }

function idOf(value: unknown): string {
  return isRecord(value) && typeof value['id'] === 'string' ? value['id'] : JSON.stringify(value)
}

export async function runApi(
  deps: Deps,
  operation: string,
  fields: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const name = operationOf(operation)
  const entry: EndpointEntry = endpoints[name]
  const request = requestOf(entry, fields)
  const client: Callable = deps.api() as unknown as Callable
  const call = mutationOptions(deps.signal, options)
  switch (entry.transport) {
    case 'json': {
      if (options.all !== true) return show(deps, await deps.api().call(name, request, call))
      const items: unknown[] = []
      const pages = client.pages[name]
      if (pages === undefined) throw cliErrors.usage_invalid({ problem: `--all: ${name}` })
      for await (const page of pages(request, call)) items.push(...page.items)
      return show(deps, items)
    }
    case 'sse':
      for await (const event of methodOf(client, name)(request, call) as AsyncIterable<unknown>)
        await deps.io.out(JSON.stringify(event))
      return Exit.ok
    case 'download': {
      const file = (await methodOf(client, name)(request, call)) as {
        readonly stream: AsyncIterable<Uint8Array>
      }
      for await (const chunk of file.stream) await deps.io.outBytes(chunk)
      return Exit.ok
    }
    case 'upload': {
      const content = new Blob([await deps.io.readInput()])
      return show(deps, await (methodOf(client, name) as Upload)(request, content, call))
    }
    case 'websocket':
      throw cliErrors.usage_invalid({ problem: `${name} (WebSocket)` })
    default:
      return unreachable(entry.transport)
  }
}

/** The client as a table of functions: which one is called is only known while running. */
type Callable = Readonly<Record<string, (request: FlatRequest, options: object) => unknown>> & {
  readonly pages: Readonly<
    Record<
      string,
      (request: FlatRequest, options: object) => AsyncIterable<{ readonly items: readonly unknown[] }>
    >
  >
}
type Upload = (request: FlatRequest, content: Blob, options: object) => unknown

function methodOf(client: Callable, name: string): Callable[string] {
  return must(client[name], 'every operation has a method')
}

async function show(deps: Deps, value: unknown): Promise<ExitCode> {
  if (value === undefined) return Exit.ok
  // There is no table for what may be anything; JSON is what everybody expects here.
  if (deps.globals.output === undefined && deps.globals.query === undefined)
    await deps.io.out(JSON.stringify(value, null, 2))
  else await deps.print(value, anyView)
  return Exit.ok
}

/** @throws {AppError} `operation_unknown` */
function operationOf(name: string): OperationName & keyof typeof endpoints {
  if (!Object.hasOwn(endpoints, name)) throw cliErrors.operation_unknown({ name })
  return name as OperationName & keyof typeof endpoints
}

/** `name=text` and `name:=JSON` as one flat request. Pure. @throws {AppError} `argument_invalid` */
function requestOf(entry: EndpointEntry, fields: readonly string[]): FlatRequest {
  const request: Record<string, unknown> = {}
  for (const field of fields) {
    const [, name, isJson, value] = /^([a-zA-Z]+)(:?)=(.*)$/su.exec(field) ?? []
    if (name === undefined || value === undefined)
      throw cliErrors.argument_invalid({ argument: 'fields', problem: field })
    request[name] = isJson === ':' ? jsonOf(field, value) : value
  }
  for (const [, name = ''] of entry.path.matchAll(/:([a-zA-Z]+)/gu))
    if (request[name] === undefined || request[name] === '')
      throw cliErrors.argument_missing({ argument: name })
  return request
}

function jsonOf(field: string, value: string): unknown {
  try {
    return parseJson(value)
  } catch (cause) {
    throw cliErrors.argument_invalid({ argument: 'fields', problem: field }, { cause })
  }
}
