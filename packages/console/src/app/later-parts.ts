import { laterPart } from '../ui/later.tsx'

/* What the frame shows only when somebody asks for it. */

export const paletteLater = laterPart(async () => (await import('./palette.tsx')).Palette)
export const sheetLater = laterPart(async () => (await import('./shortcut-sheet.tsx')).ShortcutSheet)
export const projectChoicesLater = laterPart(
  async () => (await import('./project-choices.tsx')).ProjectChoices,
)
export const accountPanelLater = laterPart(async () => (await import('./account-panel.tsx')).AccountPanel)
export const signInDialogLater = laterPart(async () => (await import('./sign-in-dialog.tsx')).SignInDialog)

/** Loads all of them, once somebody does anything at all: the page is there by then. */
export function warmParts(): void {
  for (const { warm } of [
    paletteLater,
    sheetLater,
    projectChoicesLater,
    accountPanelLater,
    signInDialogLater,
  ])
    warm()
}
