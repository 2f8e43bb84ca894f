// Starts the server in a session of its own, as daemons do; then stays (`stay`), or leaves it behind (`leave`).
import { spawn } from 'node:child_process'

const daemon = spawn(process.execPath, ['server.mjs'], {
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (process.argv[2] === 'leave') {
  daemon.unref()
  console.log(`left ${daemon.pid} behind`)
} else daemon.on('exit', () => process.exit(0))
