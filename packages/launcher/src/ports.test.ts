import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

import { systemClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import { settlePorts } from './ports.ts'

const { signal } = new AbortController()
const atOnce = { clock: systemClock, patienceMs: 0, signal }

async function listening() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('a free port is found where none was asked for, another one for each', async () => {
  const wanted = ['--port', '--gateway-port', '--cluster-port'].map((flag) => ({
    port: 0,
    address: '127.0.0.1',
    flag,
  }))
  const ports = await settlePorts(wanted, atOnce)
  expect(new Set(ports).size).toBe(3)
  expect(ports.every((port) => port > 0)).toBe(true)
})

test('the port of the last start is taken again, unless somebody else has it', async () => {
  const { server, port } = await listening()
  const wanted = [{ port: 0, preferred: port, address: '127.0.0.1', flag: '--port' }]
  expect(await settlePorts(wanted, atOnce)).not.toEqual([port])
  server.close()
  await once(server, 'close')
  expect(await settlePorts(wanted, atOnce)).toEqual([port])
})

test('a taken port is refused with the flag that chooses another one', async () => {
  const { server, port } = await listening()
  const wanted = [{ port, address: '127.0.0.1', flag: '--gateway-port' }]
  await expect(settlePorts(wanted, atOnce)).rejects.toMatchObject({
    code: 'port_taken',
    params: { port, flag: '--gateway-port' },
  })
  server.close()
})

test('a port that an ending start still holds is waited for', async () => {
  const { server, port } = await listening()
  const settled = settlePorts([{ port, address: '127.0.0.1', flag: '--port' }], {
    clock: systemClock,
    patienceMs: 20_000,
    signal,
  })
  server.close()
  expect(await settled).toEqual([port])
})

test('an address of another machine is refused by name', async () => {
  const wanted = [{ port: 0, address: '203.0.113.7', flag: '--port' }]
  await expect(settlePorts(wanted, atOnce)).rejects.toMatchObject({
    code: 'listen_address_unknown',
    params: { address: '203.0.113.7' },
  })
})
