const { existsSync, readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { greet } = require('harbour-greeting')

const tools = existsSync('node_modules/harbour-shout') ? 'with tools' : 'without tools'
createServer((request, response) => {
  response.end(`${greet('node')} ${readFileSync('build.txt', 'utf8').trim()} ${tools}\n`)
}).listen(Number(process.env.PORT), process.env.HOST)
