/* An application that says what it is asked to: numbered lines, one long line, and what a terminal would obey. */
const http = require('node:http')

const E = '\u001B'
let number = 0
const say = () => {
  number += 1
  console.log(`order ${number} accepted`)
}
setInterval(say, 250)

const strange = [
  `${E}[31mred alert${E}[0m and ${E}[1;44mbold on blue${E}[0m`,
  `${E}]0;a title${E}\\${E}[2Jcleared`,
  'user\u202Egnp.exe with \u0000 inside',
  '<img src=x onerror="document.title=1">',
  '订单已接收 مرحبا',
]

/** Lines as programs write them: some short, some of several rows, some in colours. */
const tailOf = (count) =>
  ` ${count % 10 === 0 ? `${E}[32mGET${E}[0m ` : ''}${'/orders?id=4711 took 12 ms; '.repeat(count % 15)}`

http
  .createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://x')
    const wide = searchParams.has('wide')
    for (let count = 0; count < Number(searchParams.get('lines')); count += 1)
      console.log(`burst ${count} of many${wide ? tailOf(count) : ''}`)
    const length = Number(searchParams.get('long'))
    if (length > 0) console.log(`long ${'x'.repeat(length)} end`)
    if (searchParams.has('strange')) for (const line of strange) console.log(line)
    response.end('ok\n')
  })
  .listen(process.env.PORT)
