export { answer, type Answer, type Routes } from './routes.ts'
