import { offerServer } from './shared-server.ts'

/** Named in `vitest.config.ts` as globalSetup: one PostgreSQL per run, started when the first test asks for a database. */
export async function setup(): Promise<() => Promise<void>> {
  const offer = await offerServer()
  return () => Promise.resolve(offer[Symbol.asyncDispose]())
}
