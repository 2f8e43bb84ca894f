import type { z } from 'zod'

import type { Endpoint } from './endpoint.ts'

/*
 * The contract as a caller sees it: parameters, query and body are one flat object, because a caller does not care where
 * a field travels. A name that stands in two of them cannot be sent; such an endpoint takes a `never` and the generator
 * of the sdk's table refuses it by name.
 */

/** A part that takes nothing is an empty strict object, whose type is an index signature; it adds no fields. */
type Fields<Part> = Part extends unknown ? (string extends keyof Part ? unknown : Part) : never

/** Query values are text on the wire, so both what the schema reads and what it makes of it may be given. */
type QueryFields<Input, Output> = {
  [Name in keyof Input]: unknown extends Input[Name]
    ? Name extends keyof Output
      ? Output[Name]
      : Input[Name]
    : Input[Name] | (Name extends keyof Output ? Output[Name] : never)
}

type Simplified<T> = T extends unknown ? { [Name in keyof T]: T[Name] } : never

type BodyOf<E> = E extends { body: infer B extends z.ZodType } ? NonNullable<z.input<B>> : unknown

type Clash<P, Q, B> =
  | (keyof Fields<P> & (keyof Fields<Q> | keyof Fields<B>))
  | (keyof Fields<Q> & keyof Fields<B>)

/** Everything a caller gives to an endpoint or stream, in one flat object. */
export type RequestOf<E> = E extends { params: infer P extends z.ZodType; query: infer Q extends z.ZodType }
  ? [Clash<z.input<P>, z.input<Q>, BodyOf<E>>] extends [never]
    ? Simplified<Fields<z.input<P>> & Fields<QueryFields<z.input<Q>, z.output<Q>>> & Fields<BodyOf<E>>>
    : never
  : never

/** What an endpoint answers. */
export type AnswerOf<E> = E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.output<R> : never
