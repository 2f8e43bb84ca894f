// Listens at the port of its own configuration on all addresses, whatever $PORT says.
import { createServer } from 'node:http'

createServer((request, response) => {
  response.end(JSON.stringify({ pod: process.env.HOSTNAME, pid: process.pid }))
}).listen(Number(process.argv[2]))
