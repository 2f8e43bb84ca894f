export const version = 'one'
export const color = '#1d4ed8'
