/** A node agent as a process of its own, to be killed, or to be run by an ordinary user: `node testing-agent.ts <folder> <image> <task>`. */
import { writeSync } from 'node:fs'

import { must, systemClock, waitFor } from '@slipway/kit'

import { NAMESPACE, openStage, type Stage } from './testing.ts'

const [, , folder, image, task] = process.argv
const stage = await openStage({ folder: must(folder, 'a folder'), image: must(image, 'an image') })
await stage.start()
if (task === 'hold') await hold(stage)
else await journey(stage)

/** Runs a printing pod and stays until it is killed. */
async function hold(stage: Stage): Promise<void> {
  if (!stage.registry.get('pods', NAMESPACE, 'printer'))
    await stage.createPod('printer', { command: ['node', '/app/printer.mjs', '20000', '2'] })
  await stage.waitForPod(
    'printer',
    'running',
    ({ status }) => status?.containerStatuses?.[0]?.state?.running !== undefined,
  )
  tell('ready')
  await systemClock.sleep(600_000)
}

/** One pod from its start to its end; tells what was seen. */
async function journey(stage: Stage): Promise<void> {
  await stage.createPod('web', {
    container: {
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
    },
  })
  const pod = await stage.waitForPod(
    'web',
    'ready',
    ({ status }) => status?.containerStatuses?.[0]?.ready === true,
  )
  const port = JSON.parse(pod.metadata.annotations?.['slipway/ports'] ?? '{}')['8080']
  const answer = await (await fetch(`http://${pod.status?.podIP}:${port}/`)).json()
  await stage.createPod('build', {
    command: ['sh', '-c', 'echo $$$$; ls /proc | grep -c "^[0-9]"'],
    annotations: { 'slipway/isolation': 'build' },
    spec: { restartPolicy: 'Never' },
  })
  const build = await stage.waitForPod('build', 'over', ({ status }) =>
    /Succeeded|Failed/.test(status?.phase ?? ''),
  )
  const mode = build.metadata.annotations?.['slipway/isolation-mode']
  const output = await stage.log('build')
  for (const name of ['web', 'build']) {
    await stage.registry.remove('pods', NAMESPACE, name)
    await waitFor(systemClock, 'the end', () => !stage.registry.get('pods', NAMESPACE, name), {
      timeoutMs: 20_000,
    })
  }
  await stage[Symbol.asyncDispose]()
  tell(JSON.stringify({ answer, phase: build.status?.phase, mode, output }))
}

function tell(text: string): void {
  writeSync(1, `${text}\n`)
}
