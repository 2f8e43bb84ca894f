export { copyJson, deepFreeze } from './json.ts'
export type { StoredChange } from './ring.ts'
export { encodedObject, openStore, type Store, type StoreOptions, type View } from './store.ts'
