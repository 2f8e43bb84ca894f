import { z } from 'zod'

import { endpoint } from './endpoint.ts'

export const system = {
  getVersion: endpoint({
    method: 'GET',
    path: '/v1/version',
    auth: 'none',
    permission: 'public',
    rate: 'read',
    summary: 'Tell the version of the platform',
    status: 200,
    response: z.strictObject({ version: z.string(), installation: z.string() }),
  }),
  getHealth: endpoint({
    method: 'GET',
    path: '/v1/health',
    auth: 'none',
    permission: 'public',
    rate: 'read',
    summary: 'Answer 200 when the platform can serve: its database answers and its schema is current',
    status: 200,
    response: z.strictObject({ status: z.literal('ok') }),
  }),
} as const
