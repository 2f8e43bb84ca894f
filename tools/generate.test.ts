import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { generatedFiles } from './generate.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

test.each([...generatedFiles()])(
  '%s is what the contract makes (else run node --conditions=source tools/generate.ts)',
  (path, content) => {
    expect(readFileSync(join(root, path), 'utf8') === content).toBe(true)
  },
)
