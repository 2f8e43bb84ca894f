import { readFile } from 'node:fs/promises'

/** The agent as one file of JavaScript that runs wherever Node 24 is. `tools/bundle-agent.ts` makes it. */
export function readAgentProgram(): Promise<string> {
  return readFile(new URL('../generated/slipway-agent.mjs', import.meta.url), 'utf8')
}
