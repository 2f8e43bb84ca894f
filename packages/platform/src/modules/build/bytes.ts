import { buildErrors } from './errors.ts'

/** Passes bytes on up to a size. @throws {AppError} `build_package_refused` beyond it */
export function limited(maxBytes: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let sizeBytes = 0
    for await (const chunk of source) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw buildErrors.build_package_refused({ problem: 'it is too large' })
      yield chunk
    }
  }
}
