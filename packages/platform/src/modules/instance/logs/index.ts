export { decodePositions } from './position.ts'
export { streamLogs } from './stream.ts'
