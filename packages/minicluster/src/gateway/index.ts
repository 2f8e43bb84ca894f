export { type RunningGateway, startGateway } from './gateway.ts'
