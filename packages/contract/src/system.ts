import { z } from 'zod'

import { endpoint, protocol, stream } from './endpoint.ts'

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
  getDocs: stream({
    transport: 'download',
    method: 'GET',
    path: '/docs',
    auth: 'none',
    permission: 'public',
    rate: 'read',
    summary: 'The reference of this API as one page that loads nothing from elsewhere',
  }),
  getOpenApi: stream({
    transport: 'download',
    method: 'GET',
    path: '/docs/openapi.json',
    auth: 'none',
    permission: 'public',
    rate: 'read',
    summary: 'This API as an OpenAPI 3.1 document',
  }),
  console: protocol({
    prefix: '/console/',
    summary:
      'Files of the web console, named by their content; its page answers at every address that is nothing else',
    operations: [
      { methods: ['GET', 'HEAD'], pattern: '<file>', permission: 'public', audit: undefined },
      { methods: ['POST'], pattern: 'reports', permission: 'public', audit: undefined },
    ],
  }),
} as const
