import { Select } from 'antd'
import { useState, type UIEvent } from 'react'

import { useSettled } from '../data/search.ts'
import { useText } from '../preferences/text.ts'
import type { Rows } from './grid/grid.tsx'
import { useRefusalText } from './refusal.tsx'

/** Rows of a page of choices. */
export const PICKER_ROWS = 50
const AHEAD_PX = 200
const AHEAD_ROWS = 10
const TYPED_MAX = 100

export type Choice = { readonly value: string; readonly label: string }

export type PickerProps = {
  readonly id?: string
  /** What is read aloud where no label stands beside it. */
  readonly label?: string
  readonly value?: string | undefined
  readonly onChange?: (value: string | undefined) => void
  readonly disabled?: boolean
  readonly placeholder?: string
  readonly canBeEmpty?: boolean
  readonly autoFocus?: boolean
}

type ListProps = PickerProps & {
  readonly search: Search
  readonly of: Pick<Rows<unknown>, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'> & {
    readonly isFetching: boolean
    readonly error: Error | null
  }
  readonly choices: readonly Choice[] | undefined
  /** Stand above what the list has, while nothing is looked for. */
  readonly before?: readonly Choice[]
  /** What is chosen, where the list may not have come to it yet. */
  readonly chosen?: Choice | undefined
}

type Search = {
  readonly typed: string
  readonly setTyped: (typed: string) => void
  /** What the list is asked for. */
  readonly request: { readonly limit: number; readonly text?: string }
}

/** What is typed into a picker, and what that asks of the server. */
export function usePickerSearch(): Search {
  const [typed, setTyped] = useState('')
  const text = useSettled(typed.trim().slice(0, TYPED_MAX))
  return { typed, setTyped, request: { limit: PICKER_ROWS, ...(text === '' ? {} : { text }) } }
}

/**
 * Chooses one of any number of things: the server finds them by a part of their name, and further pages come as one goes down
 * the list, by mouse or by keyboard.
 */
export function Picker({ search, of, choices = [], before = [], chosen, ...props }: ListProps) {
  const [last, setLast] = useState<Choice>()
  const all = search.typed === '' ? [...before, ...choices] : choices
  const shown = [...all, ...(chosen ? [chosen] : []), ...(last ? [last] : [])].find(
    ({ value }) => value === props.value,
  )
  const fetchMore = (): void => {
    if (of.hasNextPage && !of.isFetchingNextPage) void of.fetchNextPage()
  }
  return (
    <Select<Choice>
      {...(props.id === undefined ? {} : { id: props.id })}
      {...(props.label === undefined ? {} : { 'aria-label': props.label })}
      labelInValue
      showSearch={{
        filterOption: false,
        searchValue: search.typed,
        onSearch: search.setTyped,
      }}
      value={shown ?? null}
      disabled={props.disabled ?? false}
      autoFocus={props.autoFocus ?? false}
      allowClear={props.canBeEmpty ?? false}
      placeholder={props.placeholder}
      loading={of.isFetching}
      options={[...all]}
      onChange={(choice: Choice | undefined) => {
        setLast(choice)
        props.onChange?.(choice?.value)
      }}
      onActive={(value) => {
        const at = all.findIndex((one) => Object.is(one.value, value))
        if (at >= all.length - AHEAD_ROWS) fetchMore()
      }}
      onPopupScroll={(event) => {
        if (isNearEnd(event)) fetchMore()
      }}
      notFoundContent={<Nothing of={of} typed={search.typed.trim()} />}
    />
  )
}

function Nothing({ of, typed }: { readonly of: ListProps['of']; readonly typed: string }) {
  const { text } = useText()
  const said = useRefusalText()
  if (of.isFetching) return text('common.loading')
  if (of.error) return said(of.error)
  return typed === '' ? text('picker.empty') : text('picker.none', { text: typed })
}

function isNearEnd({ currentTarget }: UIEvent<HTMLElement>): boolean {
  return currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight < AHEAD_PX
}
