import { defineErrors } from '@slipway/messages'

/** Refusals of the command line itself. The status decides the exit code, as it does for the platform's refusals. */
export const cliErrors = defineErrors({
  command_unknown: { status: 400 },
  option_unknown: { status: 400 },
  option_missing: { status: 400 },
  option_value_missing: { status: 400 },
  option_invalid: { status: 400 },
  options_conflict: { status: 400 },
  argument_missing: { status: 400 },
  argument_invalid: { status: 400 },
  arguments_excess: { status: 400 },
  usage_invalid: { status: 400 },
  query_invalid: { status: 400 },
  name_incomplete: { status: 400 },
  name_ambiguous: { status: 409 },
  name_unknown: { status: 404 },
  context_unknown: { status: 404 },
  config_unreadable: { status: 500 },
  confirmation_needed: { status: 400 },
  answer_needed: { status: 400 },
  passwords_differ: { status: 400 },
  operation_unknown: { status: 404 },
  server_address_invalid: { status: 400 },
  browser_failed: { status: 500 },
  work_failed: { status: 500 },
  interrupted: { status: 0 },
})
