import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Kubectl, type KubectlResult, kubectlFor } from './kubectl-runner.ts'
import { deployment } from './manifests.ts'
import {
  hasRealServer,
  newNamespace,
  type ServerUnderTest,
  serverNames,
  startServer,
  until,
} from './servers.ts'

describe.runIf(hasRealServer).each(serverNames)('kubectl 1.35 on the %s server', (name) => {
  let server: ServerUnderTest
  let kubectl: Kubectl
  let namespace: string

  beforeAll(async () => {
    server = await startServer(name)
    kubectl = await kubectlFor(server.kubeconfigPath)
    namespace = await newNamespace(server.kube)
  })
  afterAll(async () => {
    kubectl[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  async function run(line: string, input?: string): Promise<KubectlResult> {
    return await kubectl.run(['-n', namespace, ...line.split(' ')], input)
  }

  /** Runs, expects success, returns the output. */
  async function ok(line: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await run(line, input)
    expect(`${code} ${stderr}`).toMatch(/^0 /)
    return stdout
  }

  const manifest = (replicas: number): string => {
    const wanted = deployment(namespace, 'web', { nodeSelector: server.nodeSelector, replicas })
    return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', ...wanted })
  }

  test('version, api-resources, api-versions', async () => {
    expect(await ok('version')).toContain('Server Version: v1.35.4')
    const resources = await ok('api-resources --no-headers')
    for (const line of [
      /^configmaps +cm +v1 +true +ConfigMap$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^namespaces +ns +v1 +false +Namespace$/m,
      /^httproutes +gateway\.networking\.k8s\.io\/v1 +true +HTTPRoute$/m,
    ])
      expect(resources).toMatch(line)
    expect(await ok('api-versions')).toContain('apps/v1\n')
  })

  test('client-side apply: created, unchanged, configured; diff tells by its exit code', async () => {
    expect(await ok('apply -f -', manifest(2))).toBe('deployment.apps/web created\n')
    expect(await ok('apply -f -', manifest(2))).toBe('deployment.apps/web unchanged\n')
    expect(await run('diff -f -', manifest(2))).toMatchObject({ code: 0, stdout: '' })
    const differing = await run('diff -f -', manifest(3))
    expect(differing.code).toBe(1)
    expect(differing.stdout).toMatch(/^-  replicas: 2\n\+  replicas: 3$/m)
    expect(await ok('apply --dry-run=server -f -', manifest(3))).toBe(
      'deployment.apps/web configured (server dry run)\n',
    )
    expect(await ok('apply -f -', manifest(3))).toBe('deployment.apps/web configured\n')
  })

  test('rollout status waits for the end; scale, set image, history, undo, restart', async () => {
    expect(await ok('rollout status deployment/web --timeout=60s')).toContain(
      'deployment "web" successfully rolled out\n',
    )
    expect(await ok('scale deployment web --replicas=2')).toBe('deployment.apps/web scaled\n')
    expect(await ok('wait --for=jsonpath={.status.replicas}=2 deployment/web --timeout=60s')).toBe(
      'deployment.apps/web condition met\n',
    )
    expect(await ok('set image deployment/web main=example.com/app:2')).toBe(
      'deployment.apps/web image updated\n',
    )
    await ok('rollout status deployment/web --timeout=60s')
    expect((await ok('rollout history deployment/web')).split('\n')).toContain('2         <none>')
    expect(await ok('rollout undo deployment/web')).toBe('deployment.apps/web rolled back\n')
    await ok('rollout status deployment/web --timeout=60s')
    expect(await ok('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'example.com/app:1',
    )
    expect(await ok('rollout restart deployment/web')).toBe('deployment.apps/web restarted\n')
    await ok('rollout status deployment/web --timeout=60s')
    expect(await ok('wait --for=condition=Available deployment/web --timeout=60s')).toBe(
      'deployment.apps/web condition met\n',
    )
  })

  test('get prints tables, names, YAML and everything', async () => {
    await until('two pods', async () => (await ok('get pods -o name')).trim().split('\n').length === 2)
    expect(await ok('get deployments')).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/,
    )
    expect(await ok('get pods')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\n(web-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running +0 +\d+s\n){2}$/,
    )
    expect(await ok('get pods -o wide')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/,
    )
    expect(await ok('get replicasets')).toMatch(/^NAME +DESIRED +CURRENT +READY +AGE\n/)
    expect(await ok('get nodes')).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION\n/)
    expect(await ok('get ns')).toMatch(/^NAME +STATUS +AGE\n/)
    expect(await ok('get deploy web -o yaml')).toContain('apiVersion: apps/v1\nkind: Deployment\n')
    const all = await ok('get all')
    for (const part of ['pod/web-', 'deployment.apps/web', 'replicaset.apps/web-'])
      expect(all).toContain(part)
    expect(await ok('get events')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/)
    expect(await ok('get pods --show-labels -l app=web --field-selector status.phase=Running')).toContain(
      'app=web',
    )
    expect(await ok('get pods --sort-by=.metadata.name -o custom-columns=N:.metadata.name')).toMatch(
      /^N\nweb-/,
    )
    expect(await run('get pods none')).toMatchObject({
      code: 1,
      stderr: 'Error from server (NotFound): pods "none" not found\n',
    })
    expect(await run('get nonsense')).toMatchObject({
      code: 1,
      stderr: 'error: the server doesn\'t have a resource type "nonsense"\n',
    })
  })

  test('describe shows objects with their events', async () => {
    const described = await ok('describe deployment web')
    expect(described).toMatch(/^Name: +web$/m)
    expect(described).toMatch(
      /^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m,
    )
    expect(described).toContain('ScalingReplicaSet')
    const podText = await ok('describe pods -l app=web')
    expect(podText).toMatch(/^Status: +Running$/m)
    expect(podText).toContain('Successfully assigned')
    expect(await ok('describe nodes')).toMatch(/^Allocated resources:$/m)
    expect(await ok(`describe namespace ${namespace}`)).toMatch(/^Status: +Active$/m)
  })

  test('server-side apply: conflicts name the other manager, --force-conflicts takes over', async () => {
    expect(await ok('apply --server-side -f -', configMap('shared', '1'))).toBe(
      'configmap/shared serverside-applied\n',
    )
    const other = await run('apply --server-side --field-manager=other -f -', configMap('shared', '2'))
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('Apply failed with 1 conflict: conflict with "kubectl": .data.v')
    await ok('apply --server-side --field-manager=other --force-conflicts -f -', configMap('shared', '2'))
    expect(await ok('get configmap shared -o jsonpath={.data.v}')).toBe('2')
    expect((await run('diff --server-side -f -', configMap('new', '1'))).code).toBe(1)
    // What client-side apply owned passes to server-side apply.
    await ok('apply -f -', configMap('moved', '1'))
    await ok('apply --server-side -f -', configMap('moved', '2'))
    expect(await ok('get configmap moved -o jsonpath={.data.v}')).toBe('2')
  })

  const configMap = (named: string, value: string): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: named }, data: { v: value } })

  test("unknown fields and invalid objects are refused with the server's words", async () => {
    const unknown = await run('apply -f -', configMap('a', '1').replace('"data"', '"dat"'))
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('strict decoding error: unknown field "dat"')
    const invalid = await run('apply -f -', configMap('A', '1'))
    expect(invalid.stderr).toMatch(/^The ConfigMap "A" is invalid: metadata.name: Invalid value: "A": /)
  })

  test('create sends protobuf; label, annotate, patch, edit by replace', async () => {
    expect(await ok('create configmap made --from-literal=a=1')).toBe('configmap/made created\n')
    expect(await ok('get configmap made -o jsonpath={.data.a}')).toBe('1')
    expect(await ok('create secret generic hidden --from-literal=k=v')).toBe('secret/hidden created\n')
    expect(await ok('get secret hidden -o jsonpath={.data.k}')).toBe('dg==')
    expect(await ok('create serviceaccount robot')).toBe('serviceaccount/robot created\n')
    expect(await ok('create namespace extra')).toBe('namespace/extra created\n')
    expect(await ok('create deployment made --image=example.com/app:1 --replicas=0 --port=80')).toBe(
      'deployment.apps/made created\n',
    )
    expect(await ok('get deployment made -o jsonpath={.spec.strategy.rollingUpdate.maxSurge}')).toBe('25%')
    expect(await ok('create job made --image=example.com/app:1')).toBe('job.batch/made created\n')
    expect(await run('create configmap made')).toMatchObject({
      code: 1,
      stderr: 'error: failed to create configmap: configmaps "made" already exists\n',
    })
    expect(await ok('expose deployment made --port=80')).toBe('service/made exposed\n')
    expect(await ok('label configmap made x=y')).toBe('configmap/made labeled\n')
    expect(await ok('annotate configmap made x=y')).toBe('configmap/made annotated\n')
    expect(await ok('patch configmap made --type=merge -p {"data":{"a":"2"}}')).toBe(
      'configmap/made patched\n',
    )
    expect(await ok('replace -f -', configMap('made', '3'))).toBe('configmap/made replaced\n')
    expect(await ok('create token robot')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('auth: can-i and whoami', async () => {
    expect(await ok('auth can-i delete nodes')).toContain('yes\n')
    expect(await ok('auth can-i --list')).toContain('*.*')
    expect(await ok('auth whoami')).toMatch(/^Username +\S+$/m)
  })

  test('explain knows the fields', async () => {
    expect(await ok('explain deployment.spec.strategy')).toMatch(/^KIND: +Deployment$/m)
  })

  test('cordon and drain empty a node', async () => {
    const node = await ok('get nodes -o name').then(
      (names) => names.trim().split('\n').at(-1)?.replace('node/', '') ?? '',
    )
    expect(await ok(`cordon ${node}`)).toBe(`node/${node} cordoned\n`)
    expect(await ok(`get node ${node}`)).toContain('Ready,SchedulingDisabled')
    expect(await ok(`drain ${node} --force --timeout=60s`)).toContain(`node/${node} drained\n`)
    expect(await ok(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`)
  })

  test('delete waits until the objects are gone', async () => {
    const deleted = await ok('delete deployment web --cascade=foreground --timeout=60s')
    // kubectl 1.35 adds the namespace to what it says.
    expect(deleted).toMatch(/^deployment\.apps "web" deleted/)
    expect(await ok('get pods -l app=web -o name')).toBe('')
    expect(await ok('delete configmap made --ignore-not-found')).toMatch(/^configmap "made" deleted/)
    expect(await ok('delete configmap made --ignore-not-found')).toBe('')
    expect(await ok('delete namespace extra --timeout=60s')).toMatch(/^namespace "extra" deleted/)
    expect((await run('delete configmap none')).code).toBe(1)
  })

  test.runIf(name === 'embedded')('top, logs and exec, where nodes have them', async () => {
    await ok('apply -f -', manifest(1))
    await ok('rollout status deployment/web --timeout=60s')
    expect(await ok('top nodes')).toMatch(/^NAME +CPU\(cores\)/)
    expect(await ok('top pods')).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\)\s+web-/)
    expect(await ok('logs deployment/web --tail=5')).not.toBe('')
    const refused = await run('exec deployment/web -- true')
    // A simulated pod has nothing to run: either way the answer must be kubectl's own, not a broken connection.
    expect(refused.stderr).not.toContain('websocket')
  })
})
