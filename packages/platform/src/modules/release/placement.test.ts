import { Placement, WorkloadTemplate } from '@slipway/contract'
import { expect, test } from 'vitest'

import { placementFields } from './placement.ts'

const workload = { id: `wrk_${'1'.repeat(26)}`, namespace: 'shop-test' }
const other = `wrk_${'2'.repeat(26)}`
const far = `wrk_${'3'.repeat(26)}`
const fields = (placement: unknown) =>
  placementFields(
    workload,
    {
      hash: 'newnewne',
      image: '',
      configRevision: 1,
      template: WorkloadTemplate.parse({
        processes: {
          web: { kind: 'web', ...(placement !== undefined && { placement: Placement.parse(placement) }) },
        },
        neighbours: {
          web: { workload: workload.id, namespace: workload.namespace },
          api: { workload: other, namespace: workload.namespace },
          'api/live': { workload: far, namespace: 'shop-live' },
        },
      }),
    },
    'web',
  )
const version = { 'slipway/version': 'newnewne' }

test('without a placement nothing is said', () => {
  expect(fields(undefined)).toEqual({})
  expect(fields({})).toEqual({})
})

test('conditions must all hold, wishes count each for itself', () =>
  expect(
    fields({
      nodes: [
        { label: 'disk', values: ['ssd', 'nvme'] },
        { label: 'cores', operator: 'Gt', values: ['8'] },
        { label: 'old', operator: 'DoesNotExist', weight: 30 },
      ],
    }),
  ).toEqual({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'disk', operator: 'In', values: ['ssd', 'nvme'] },
                { key: 'cores', operator: 'Gt', values: ['8'] },
              ],
            },
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 30, preference: { matchExpressions: [{ key: 'old', operator: 'DoesNotExist' }] } },
        ],
      },
    },
  }))

test('each version spreads by itself', () =>
  expect(fields({ spread: [{ over: 'zone', required: true, skew: 2 }, { over: 'host' }] })).toEqual({
    topologySpreadConstraints: [
      {
        maxSkew: 2,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: {
          matchLabels: { 'slipway/workload': workload.id, 'slipway/process': 'web', ...version },
        },
      },
      expect.objectContaining({
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
      }),
    ],
  }))

test('neighbours are found by their Workload, those of another Environment in its namespace', () =>
  expect(
    fields({
      apart: [{ application: 'api', process: 'worker' }],
      together: [{ application: 'api', environment: 'live', over: 'zone', weight: 50 }],
    }),
  ).toEqual({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { 'slipway/workload': other, 'slipway/process': 'worker' } },
          },
        ],
      },
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 50,
            podAffinityTerm: {
              topologyKey: 'topology.kubernetes.io/zone',
              labelSelector: { matchLabels: { 'slipway/workload': far } },
              namespaces: ['shop-live'],
            },
          },
        ],
      },
    },
  }))

test('apart from its own Instances means those of its version, so that both versions find room', () =>
  expect(
    fields({ apart: [{ application: 'web' }] }).affinity?.podAntiAffinity
      ?.requiredDuringSchedulingIgnoredDuringExecution,
  ).toEqual([
    {
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: { matchLabels: { 'slipway/workload': workload.id, ...version } },
    },
  ]))
