/** What the process ends with; scripts read these, so they never change. */
export const Exit = {
  ok: 0,
  error: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  conflict: 5,
  timeout: 6,
  denied: 7,
  interrupted: 130,
} as const
export type ExitCode = (typeof Exit)[keyof typeof Exit]

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  request_timed_out: Exit.timeout,
  server_unreachable: Exit.error,
  interrupted: Exit.interrupted,
  release_image_unknown: Exit.notFound,
}

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: Exit.usage,
  401: Exit.notSignedIn,
  403: Exit.denied,
  404: Exit.notFound,
  409: Exit.conflict,
  408: Exit.timeout,
  504: Exit.timeout,
}

/** The exit code of a refusal. A code of its own goes before the status. */
export function exitCodeOf(refusal: { readonly code: string; readonly status: number }): ExitCode {
  return BY_CODE[refusal.code] ?? BY_STATUS[refusal.status] ?? Exit.error
}
