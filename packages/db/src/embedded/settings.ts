/**
 * How the embedded server runs: loopback only, small, and silent about values (a constraint's detail line quotes the row,
 * a logged statement its literals).
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  cluster_name: 'slipway',
  timezone: 'UTC',
  log_timezone: 'UTC',
  max_connections: '60',
  shared_buffers: '32MB',
  // One machine, one server, no replica: the log has to survive a crash, nothing more.
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '512MB',
  // Workers for reading cost processes at rest; at this size the operating system's cache does the same.
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_checkpoints: 'off',
}

/** For tests: a crash of the machine may cost everything. */
export const DISPOSABLE_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  autovacuum: 'off',
}

export function serverArguments(
  folder: string,
  port: number,
  more: Readonly<Record<string, string>> = {},
): string[] {
  const settings = { ...SETTINGS, ...more, port: String(port) }
  return ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
