/** Where this package reports what nobody awaits; pino's loggers fit. Fields never hold secrets. */
export type Log = {
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
  readonly error: (fields: object, message: string) => void
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
