export {
  discover,
  type Discovery,
  eachObject,
  findObject,
  isAllowed,
  type Question,
  readiness,
  type Readiness,
  serverVersion,
  type ServerVersion,
} from './cluster.ts'
export { kubeClient, type KubeClientOptions } from './client.ts'
export { hasReason, KubeError, type StatusCause, type StatusDetails } from './errors.ts'
export type {
  BackendReference,
  Gateway,
  GatewayClass,
  HttpRoute,
  HttpRouteFilter,
  HttpRouteMatch,
  HttpRouteRule,
  ParentReference,
} from './gateway-api.ts'
export type {
  ApplyOptions,
  CallOptions,
  ExecOptions,
  ExecSession,
  Kube,
  ListOptions,
  LogOptions,
  ObjectPage,
  Patch,
  RemoveOptions,
  Selection,
  ServerFacts,
  TerminalSize,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kube.ts'
export {
  type ClientCertificate,
  type ClusterAccess,
  type Credentials,
  formatKubeconfig,
  type Kubeconfig,
  parseKubeconfig,
} from './kubeconfig.ts'
export type { ObjectCache } from './object-cache.ts'
export type { Reflector, ReflectorStatus } from './reflector.ts'
export { clusterReflectors, type Reflectors, type ReflectorsOptions } from './reflectors.ts'
export type { Impersonation, Target } from './requests.ts'
export { apiVersionOf, type Live, type Objects, type ResourceName } from './resources.ts'
export type { AddressGuard } from './transport.ts'
export type { Wire } from './wire.ts'
