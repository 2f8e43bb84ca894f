import { type AppError, defineErrors } from '@slipway/kit'

const errors = defineErrors({
  kubeconfig_invalid: { status: 400 },
  kubeconfig_field_refused: { status: 400 },
})

/** @param problem - English, follows "the kubeconfig cannot be used: " */
export function refuseKubeconfig(problem: string, cause?: unknown): AppError {
  return errors.kubeconfig_invalid({ problem }, cause === undefined ? {} : { cause })
}

/**
 * @param field - name of the field, such as `exec`
 * @param instead - what to put in its place, English
 */
export function refuseField(field: string, instead: string): AppError {
  return errors.kubeconfig_field_refused({ field, instead })
}
