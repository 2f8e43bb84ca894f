import { InvalidArgumentError, Option } from '@commander-js/extra-typings'

import type { Deps } from '../../deps.ts'

/** `zone=a,disk=ssd` */
export function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((part) => part.split('='))
  if (pairs.some(([label = '', value, ...more]) => label === '' || value === undefined || more.length > 0))
    throw new InvalidArgumentError('zone=a,disk=ssd')
  return Object.fromEntries(pairs.map(([label = '', value = '']) => [label, value]))
}

/** `--labels`, by which nodes are chosen. */
export function labelsOption(deps: Deps) {
  return new Option('--labels <labels>', deps.text('pool.selector')).argParser(labelsOf)
}

/** `--cluster`, where several Clusters have a Pool by the same name. */
export function clusterOption(deps: Deps) {
  return new Option('--cluster <cluster>', deps.text('pool.cluster'))
}
