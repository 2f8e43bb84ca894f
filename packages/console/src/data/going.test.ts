import { expect, test } from 'vitest'

import { idsTaken } from './going.ts'

const cluster = 'clu_01k9x2v7c8d3f4g5h6j7m8n9pq'

test.each([
  ['deleteCluster', { cluster }, [cluster]],
  ['deleteCluster', { cluster: 'local' }, []],
  ['updateCluster', { cluster }, []],
  // The Application stays; its source goes.
  ['deleteSource', { application: 'app_01k9x2v7c8d3f4g5h6j7m8n9pq' }, []],
] as const)('%s with %o takes away %o', (name, request, ids) => {
  expect(idsTaken(name, request)).toEqual(ids)
})
