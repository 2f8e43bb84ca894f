export { consoleFolder } from './build/folder.ts'
