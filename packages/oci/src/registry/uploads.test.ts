import { randomBytes } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'

import { manualClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { ask, codeOf, pushBlob, startUpload } from '../testing/ask.ts'
import { memoryMetadata } from '../testing/memory-metadata.ts'
import { testRegistry } from '../testing/world.ts'
import { folderBlobs } from './folder-blobs.ts'

describe('uploads that go wrong', () => {
  const wrongChunks: [name: string, range: string, status: number][] = [
    ['a gap', '20-29', 416],
    ['an overlap', '5-14', 416],
    ['a repeat', '0-9', 416],
    ['backwards', '10-3', 416],
    ['longer than the body', '10-99', 400],
    ['shorter than the body', '10-12', 400],
    ['no range', 'all', 400],
    ['a huge number', `10-${'9'.repeat(30)}`, 400],
  ]
  test.each(wrongChunks)('%s is refused and changes nothing', async (_, range, status) => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    await ask(registry, 'PATCH', location, { body: 'x'.repeat(10) })
    const response = await ask(registry, 'PATCH', location, {
      body: 'y'.repeat(10),
      headers: { 'content-range': range },
    })
    expect(response.status).toBe(status)
    const put = await ask(registry, 'PUT', `${location}?digest=${digestOf('x'.repeat(10))}`)
    expect(put.status).toBe(201)
  })

  test('a body unlike its Content-Length is refused', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const response = await ask(registry, 'PATCH', location, {
      body: 'x'.repeat(10),
      headers: { 'content-length': '12' },
    })
    expect([response.status, await codeOf(response)]).toEqual([400, 'SIZE_INVALID'])
  })

  test('an interrupted PATCH keeps what came, and the upload goes on from there', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    let sent = false
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) controller.error(new Error('connection reset'))
        else controller.enqueue(Buffer.from('hello '))
        sent = true
      },
    })
    expect((await ask(registry, 'PATCH', location, { body: broken })).status).toBe(400)
    const status = await ask(registry, 'GET', location)
    expect(status.headers.get('range')).toBe('0-5')
    const end = { body: 'world', headers: { 'content-range': '6-10' } }
    expect((await ask(registry, 'PATCH', location, end)).status).toBe(202)
    expect((await ask(registry, 'PUT', `${location}?digest=${digestOf('hello world')}`)).status).toBe(201)
  })

  test('of two writers of one upload the second is refused', async () => {
    const metadata = memoryMetadata()
    const claimed = Promise.withResolvers<void>()
    await using registry = await testRegistry({
      metadata: {
        ...metadata,
        async claimUpload(claim) {
          const outcome = await metadata.claimUpload(claim)
          claimed.resolve()
          return outcome
        },
      },
    })
    const location = await startUpload(registry)
    const gate = Promise.withResolvers<void>()
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('first'))
        await gate.promise
        controller.close()
      },
    })
    const first = ask(registry, 'PATCH', location, { body: slow })
    await claimed.promise
    const second = await ask(registry, 'PATCH', location, { body: 'second' })
    expect([second.status, await codeOf(second)]).toEqual([416, 'BLOB_UPLOAD_INVALID'])
    gate.resolve()
    expect((await first).status).toBe(202)
    expect((await ask(registry, 'PUT', `${location}?digest=${digestOf('first')}`)).status).toBe(201)
  })

  test('a body that stops coming is ended', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const location = await startUpload(registry)
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('x')),
    })
    const pending = ask(registry, 'PATCH', location, { body: silent })
    const state = { done: false }
    void pending.then(() => (state.done = true))
    while (!state.done) {
      await clock.advance(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await pending).status).toBe(408)
    expect((await ask(registry, 'GET', location)).headers.get('range')).toBe('0-0')
  })

  test('a body that drips is ended, however long it pretends to live', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const location = await startUpload(registry)
    let drops = 0
    const dripping = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await clock.advance(5_000)
        drops += 1
        controller.enqueue(Buffer.from('x'))
      },
    })
    expect((await ask(registry, 'PATCH', location, { body: dripping })).status).toBe(408)
    expect(drops).toBeLessThan(20)
  })

  test('a wrong digest ends the upload, and the right one can be pushed afterwards', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const wrong = await ask(registry, 'PUT', `${location}?digest=${digestOf('other')}`, { body: 'content' })
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await ask(registry, 'GET', location)).status).toBe(404)
    await pushBlob(registry, Buffer.from('content'))
  })

  test('PUT twice: the second upload is unknown, the blob is there', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const put = () => ask(registry, 'PUT', `${location}?digest=${digestOf('content')}`, { body: 'content' })
    expect((await put()).status).toBe(201)
    expect((await put()).status).toBe(404)
    expect((await ask(registry, 'HEAD', `/v2/team/app/blobs/${digestOf('content')}`)).status).toBe(200)
  })

  test('of two closing requests at once one wins, and the blob is what its digest says', async () => {
    await using registry = await testRegistry()
    for (let round = 0; round < 20; round += 1) {
      const location = await startUpload(registry)
      const bytes = randomBytes(200_000)
      const put = (body: Uint8Array) =>
        ask(registry, 'PUT', `${location}?digest=${digestOf(bytes)}`, { body })
      const answers = await Promise.all([put(bytes), put(bytes), put(randomBytes(300_000))])
      const blob = await ask(registry, 'GET', `/v2/team/app/blobs/${digestOf(bytes)}`)
      if (answers.some((answer) => answer.status === 201))
        expect(digestOf(new Uint8Array(await blob.arrayBuffer()))).toBe(digestOf(bytes))
      expect(answers.filter((answer) => answer.status === 201).length).toBeLessThanOrEqual(1)
    }
    expect(registry.failures).toEqual([])
  })

  test('another node goes on with an upload that the first began', async () => {
    const metadata = memoryMetadata()
    await using first = await testRegistry({ metadata })
    const blobs = await folderBlobs(join(first.folder, 'registry'))
    await using second = await testRegistry({ metadata, blobs })
    const location = await startUpload(first)
    await ask(first, 'PATCH', location, { body: 'hello ' })
    await ask(second, 'PATCH', location, { body: 'wor', headers: { 'content-range': '6-8' } })
    const put = await ask(first, 'PUT', `${location}?digest=${digestOf('hello world')}`, { body: 'ld' })
    expect(put.status).toBe(201)
  })

  test('what a killed append left beyond the confirmed part is overwritten', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    await ask(registry, 'PATCH', location, { body: 'hello ' })
    const id = location.split('/').at(-1) ?? ''
    await appendFile(join(registry.folder, 'registry', 'uploads', id), 'rest of a dead process')
    const put = await ask(registry, 'PUT', `${location}?digest=${digestOf('hello world')}`, { body: 'world' })
    expect(put.status).toBe(201)
  })

  test('fifty clients push one blob at once', async () => {
    await using registry = await testRegistry()
    const bytes = randomBytes(100_000)
    await Promise.all(Array.from({ length: 50 }, (_, index) => pushBlob(registry, bytes, `team/app${index}`)))
    const response = await ask(registry, 'GET', `/v2/team/app49/blobs/${digestOf(bytes)}`)
    expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digestOf(bytes))
  })
})
