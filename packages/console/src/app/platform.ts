/** Whether the command key stands where others have Ctrl. */
export function isMac(): boolean {
  return /Mac|iPhone|iPad/u.test(navigator.userAgent)
}
