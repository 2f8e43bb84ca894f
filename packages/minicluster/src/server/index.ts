export { startServer, type ApiServer, type ServerOptions } from './server.ts'
