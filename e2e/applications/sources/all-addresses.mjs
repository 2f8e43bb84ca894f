// Heeds $PORT and never heard of $HOST.
import { createServer } from 'node:http'

createServer((request, response) => {
  response.end(JSON.stringify({ pod: process.env.HOSTNAME, pid: process.pid }))
}).listen(Number(process.env.PORT))
