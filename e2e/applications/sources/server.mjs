// Answers at $HOST:$PORT with who it is; argument: another port. Finishes slowly, but finishes, when told to end.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.end(JSON.stringify({ pod: process.env.HOSTNAME, pid: process.pid }))
})
server.listen(Number(process.argv[2] ?? process.env.PORT), process.env.HOST, () => console.log('listening'))
process.on('SIGTERM', () => {
  console.log('ending')
  server.close()
  server.closeAllConnections()
  setTimeout(() => {
    console.log('ended')
    process.exit(0)
  }, 300)
})
