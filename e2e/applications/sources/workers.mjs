// One listening socket, three processes that answer.
import cluster from 'node:cluster'
import { createServer } from 'node:http'

if (cluster.isPrimary) for (let count = 0; count < 3; count += 1) cluster.fork()
else
  createServer((request, response) => {
    response.setHeader('connection', 'close')
    response.end(JSON.stringify({ pod: process.env.HOSTNAME, pid: process.pid }))
  }).listen(Number(process.env.PORT), process.env.HOST)
