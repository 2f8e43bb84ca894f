/*
 * The Gateway API kinds (gateway.networking.k8s.io/v1, standard channel 1.4) as far as the platform writes and reads them;
 * client-node has no types for custom resources.
 */
import type * as k8s from '@kubernetes/client-node'

import type { Wire } from './wire.ts'

type Meta = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Wire<k8s.V1ObjectMeta>
}
type Conditions = { readonly conditions?: readonly Wire<k8s.V1Condition>[] }

export type ParentReference = {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}

export type BackendReference = {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly port?: number
  readonly weight?: number
  readonly filters?: readonly HttpRouteFilter[]
}

type NamedMatch = {
  readonly type?: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export type HttpRouteMatch = {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string }
  readonly headers?: readonly NamedMatch[]
  readonly queryParams?: readonly NamedMatch[]
  readonly method?: string
}

type HeaderModifier = {
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  readonly add?: readonly { readonly name: string; readonly value: string }[]
  readonly remove?: readonly string[]
}
type PathModifier = {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch'
  readonly replaceFullPath?: string
  readonly replacePrefixMatch?: string
}

export type HttpRouteFilter = {
  readonly type: string
  readonly requestHeaderModifier?: HeaderModifier
  readonly responseHeaderModifier?: HeaderModifier
  readonly requestRedirect?: {
    readonly scheme?: string
    readonly hostname?: string
    readonly path?: PathModifier
    readonly port?: number
    readonly statusCode?: number
  }
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier }
}

export type HttpRouteRule = {
  readonly name?: string
  readonly matches?: readonly HttpRouteMatch[]
  readonly filters?: readonly HttpRouteFilter[]
  readonly backendRefs?: readonly BackendReference[]
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
}

export type GatewayClass = Meta & {
  readonly spec?: { readonly controllerName: string; readonly description?: string }
  readonly status?: Conditions
}

type GatewayListener = {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly hostname?: string
  readonly tls?: {
    readonly mode?: 'Terminate' | 'Passthrough'
    readonly certificateRefs?: readonly { readonly name: string; readonly namespace?: string }[]
  }
  readonly allowedRoutes?: {
    readonly namespaces?: {
      readonly from?: 'All' | 'Same' | 'Selector'
      readonly selector?: Wire<k8s.V1LabelSelector>
    }
  }
}

export type Gateway = Meta & {
  readonly spec?: {
    readonly gatewayClassName: string
    readonly listeners: readonly GatewayListener[]
    readonly addresses?: readonly { readonly type?: string; readonly value?: string }[]
  }
  readonly status?: Conditions & {
    readonly addresses?: readonly { readonly type?: string; readonly value: string }[]
    readonly listeners?: readonly (Conditions & { readonly name: string; readonly attachedRoutes: number })[]
  }
}

export type HttpRoute = Meta & {
  readonly spec?: {
    readonly parentRefs?: readonly ParentReference[]
    readonly hostnames?: readonly string[]
    readonly rules?: readonly HttpRouteRule[]
  }
  readonly status?: {
    readonly parents: readonly (Conditions & {
      readonly parentRef: ParentReference
      readonly controllerName: string
    })[]
  }
}
