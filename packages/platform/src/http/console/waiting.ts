import { markup, raw } from '../docs/html.ts'

/* What stands in the console's place until it is built: calm, in both languages, and gone by itself. */

const STYLE = `
  :root { color-scheme: light dark; --text: #1c1d1f; --soft: #5c6066; --ground: #f7f7f6; --line: #dededb; }
  @media (prefers-color-scheme: dark) { :root { --text: #ececea; --soft: #a4a8ae; --ground: #161719; --line: #33353a; } }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: 20px; background: var(--ground);
    color: var(--text); font: 14px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; padding: 24px; }
  h1 { font-size: 18px; font-weight: 600; margin: 0; } p { margin: 0; color: var(--soft); max-width: 60ch; }
  pre { white-space: pre-wrap; border: 1px solid var(--line); border-radius: 6px; padding: 12px; max-width: 80ch; font-size: 12px; }
`
const REFRESH_SECONDS = 2

/** The picture of this page, which is there before the console's own files are. */
export const ICON_PATH = '/console/waiting.svg'
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2c48d2"/><path d="M4 22.5 28 26.5" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'

/** @param problem - why the console cannot be built; undefined while it is being built */
export function waitingPage(nonce: string, problem: string | undefined): string {
  const refresh =
    problem === undefined
      ? markup`<meta http-equiv="refresh" content="${REFRESH_SECONDS}" />`
      : markup`<meta http-equiv="refresh" content="${10 * REFRESH_SECONDS}" />`
  const said =
    problem === undefined
      ? markup`<section><h1>The console is being prepared</h1>
          <p>It takes some seconds after an update. This page goes on by itself; the API and the command <code>slipway</code> already work.</p></section>
        <section lang="zh-CN"><h1>控制台正在准备中</h1>
          <p>更新之后需要几秒钟，页面会自动继续。接口与命令 <code>slipway</code> 已经可用。</p></section>`
      : markup`<section><h1>The console could not be built</h1>
          <p>The API and the command <code>slipway</code> work. Correct this and start again:</p></section>
        <section lang="zh-CN"><h1>控制台构建失败</h1><p>接口与命令 <code>slipway</code> 可用。请排除以下问题后重新启动：</p></section>
        <pre>${problem}</pre>`
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Slipway 船台</title>
        <link rel="icon" href="${ICON_PATH}" type="image/svg+xml" />
        ${refresh}
        <style nonce="${nonce}">${raw(STYLE)}</style>
      </head>
      <body>
        ${said}
      </body>
    </html>`.html
}
