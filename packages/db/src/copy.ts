import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { PassThrough } from 'node:stream'

import { assert } from '@slipway/kit'
import type { Client, Connection, Submittable } from 'pg'

/*
 * COPY over the driver, which knows the messages but offers no streams: an object with `submit` is sent like a query and
 * receives what the server answers. Source: PostgreSQL's frontend/backend protocol, "COPY Operations".
 */
const CHUNK_BYTES_MAX = 64 * 1024

/** What the driver calls on a query of its own; its types name `submit` only. */
type CopyHandlers = Submittable & {
  readonly handleError: (error: Error) => void
  readonly handleReadyForQuery: () => void
  readonly handleCommandComplete: () => void
  readonly handleRowDescription: () => void
  readonly handleCopyInResponse: (connection: CopyConnection) => void
  readonly handleCopyData: (message: { readonly chunk: Buffer }, connection: CopyConnection) => void
}

type CopyConnection = Connection & {
  readonly sendCopyFromChunk: (chunk: Buffer) => void
  readonly endCopyFrom: () => void
  readonly sendCopyFail: (message: string) => void
}

const nothing = (): void => undefined

/** The rows that `statement` (`copy … to stdout`) sends; a slow reader slows the server down. */
export function copyOut(client: Client, statement: string): Readable {
  const rows = new PassThrough({ highWaterMark: CHUNK_BYTES_MAX })
  let paused: Duplex | undefined
  const resume = (): void => {
    paused?.resume()
    paused = undefined
  }
  rows.on('drain', resume)
  rows.on('close', resume)
  const query: CopyHandlers = {
    submit(connection) {
      connection.query(statement)
    },
    handleError: (error) => void rows.destroy(error),
    handleReadyForQuery: () => void rows.end(),
    handleCommandComplete: nothing,
    handleRowDescription: nothing,
    handleCopyInResponse: (connection) =>
      connection.sendCopyFail('this statement sends, it does not receive'),
    handleCopyData({ chunk }, connection) {
      // The driver's buffer is used again for the next message.
      if (rows.destroyed || rows.write(Buffer.from(chunk)) || paused) return
      // What the driver has already read still arrives after this; it is at most one piece of the socket.
      paused = connection.stream.pause()
    },
  }
  client.query(query)
  return rows
}

/**
 * Sends `chunks` as the input of `statement` (`copy … from stdin`). When reading them fails the server is told to give up,
 * and the failure is thrown after it has answered, so that the connection stays usable.
 */
export async function copyIn(
  client: Client,
  statement: string,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  let broken: unknown
  await new Promise<void>((resolve, reject) => {
    let failure: Error | undefined
    const query: CopyHandlers = {
      submit(connection) {
        connection.query(statement)
      },
      handleError: (error) => {
        failure = error
        reject(error)
      },
      handleReadyForQuery: () => (failure ? undefined : resolve()),
      handleCommandComplete: nothing,
      handleRowDescription: nothing,
      handleCopyData: nothing,
      handleCopyInResponse(connection) {
        send(connection, chunks, () => failure !== undefined).catch((thrown: unknown) => {
          broken = thrown
          connection.sendCopyFail('the input broke off')
        })
      },
    }
    client.query(query)
  }).catch((thrown: unknown) => {
    throw broken ?? thrown
  })
}

async function send(
  connection: CopyConnection,
  chunks: AsyncIterable<Buffer>,
  hasFailed: () => boolean,
): Promise<void> {
  for await (const chunk of chunks) {
    if (hasFailed()) return
    assert(chunk.length <= CHUNK_BYTES_MAX * 16, 'chunks are small')
    connection.sendCopyFromChunk(chunk)
    if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain')
  }
  connection.endCopyFrom()
}
