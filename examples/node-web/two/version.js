export const version = 'two'
export const color = '#15803d'
