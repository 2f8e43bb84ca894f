export { decodePositions, stampOf } from './position.ts'
export { streamLogs } from './stream.ts'
