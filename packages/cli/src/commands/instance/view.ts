import type { Instance, InstanceEvent } from '@slipway/contract'
import { instanceText, type Language } from '@slipway/messages'

import { timeCell, type View } from '../../output/table.ts'

const MIB = 1024 ** 2

/** Instances, with reasons in the reader's language. */
export function instanceView(language: Language): View<Instance> {
  return {
    columns: [
      { title: 'column.name', value: ({ name }) => name },
      { title: 'column.process', value: ({ process }) => process },
      { title: 'column.state', value: ({ state }) => instanceText(language, state, {}) },
      { title: 'column.since', value: ({ since }) => timeCell(since) },
      { title: 'column.restarts', value: ({ restarts }) => restarts },
      { title: 'column.release', value: ({ releaseNumber }) => releaseNumber },
      { title: 'column.version', value: ({ version }) => version, wide: true },
      { title: 'column.node', value: ({ node }) => node },
      { title: 'column.address', value: ({ address }) => address, wide: true },
      { title: 'column.ports', value: portsText, wide: true },
      { title: 'column.cpu', value: ({ use, resources }) => pair(use?.cpuCores, resources.cpuCores, 1, '') },
      {
        title: 'column.memory',
        value: ({ use, resources }) => pair(use?.memoryBytes, resources.memoryLimitBytes, MIB, ' MiB'),
      },
      { title: 'column.id', value: ({ id }) => id, wide: true },
      { title: 'column.why', value: ({ why }) => why && instanceText(language, why.code, why.params) },
    ],
    name: ({ id }) => id,
  }
}

function portsText({ ports }: Instance): string {
  return Object.entries(ports)
    .map(([own, real]) => (own === String(real) ? own : `${own}→${real}`))
    .join(' ')
}

/** `used / granted`, what is not known as a dash. */
function pair(used: number | undefined, granted: number | null, unit: number, name: string): string {
  const text = (value: number | null | undefined): string =>
    value === null || value === undefined ? '-' : String(Math.round((value / unit) * 100) / 100)
  return `${text(used)} / ${text(granted)}${name}`
}

export const instanceEventView: View<InstanceEvent> = {
  columns: [
    { title: 'column.at', value: ({ lastAt }) => timeCell(lastAt) },
    { title: 'column.type', value: ({ type }) => type },
    { title: 'column.reason', value: ({ reason }) => reason },
    { title: 'column.count', value: ({ count }) => count },
    { title: 'column.source', value: ({ source }) => source, wide: true },
    { title: 'column.message', value: ({ message }) => message },
  ],
  name: ({ reason }) => reason,
}

/** What answers with nothing but the id of what was set going. */
export const startedView: View<{ readonly id: string }> = {
  columns: [{ title: 'column.id', value: ({ id }) => id }],
  name: ({ id }) => id,
}
