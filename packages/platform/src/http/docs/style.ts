/** The one style sheet of the reference: no font, image or script from anywhere. */
export const DOCS_STYLE = `
:root { color-scheme: light dark;
  --back: #ffffff; --raised: #f5f7fa; --line: #d9dee6; --text: #1b2430; --dim: #566173; --link: #0b57d0; --focus: #0b57d0;
  --get: #0b6b3a; --post: #0b57d0; --put: #8a4b00; --patch: #6d3ab0; --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --back: #12161c; --raised: #1a2029; --line: #323c4a; --text: #e6eaf0; --dim: #a3adbb; --link: #8ab4f8; --focus: #8ab4f8;
  --get: #7bd6a0; --post: #8ab4f8; --put: #f0b866; --patch: #c8a5f5; --delete: #f5a19b; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.layout { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; height: 100vh; overflow: auto; padding: 1.5rem 1rem 2rem; border-right: 1px solid var(--line); font-size: .875rem; }
nav ul { list-style: none; margin: .25rem 0 .5rem; padding: 0 0 0 .75rem; }
nav a { display: block; padding: .125rem 0; color: var(--dim); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { color: var(--link); text-decoration: underline; }
nav summary { cursor: pointer; font-weight: 600; padding: .125rem 0; }
main { padding: 1.5rem 2rem 6rem; min-width: 0; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.375rem; margin: 3rem 0 .75rem; padding-bottom: .375rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; display: inline; font-weight: 600; }
h4 { font-size: .875rem; margin: 1.25rem 0 .375rem; color: var(--dim); }
p { margin: .5rem 0; max-width: 46rem; }
code, pre { font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .625rem .75rem; margin: .375rem 0; overflow: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th { text-align: left; color: var(--dim); font-weight: 600; }
th, td { padding: .375rem .75rem .375rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { white-space: nowrap; }
.scroll { overflow-x: auto; }
.operation { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; }
.operation > summary { cursor: pointer; padding: .5rem .75rem; list-style: none; display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 0 .75rem; align-items: baseline; }
.operation > summary::-webkit-details-marker { display: none; }
.operation > summary:hover { background: var(--raised); border-radius: 8px; }
.operation > summary .said { grid-column: 2; color: var(--dim); font-size: .875rem; }
.operation[open] > summary { border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; background: var(--raised); }
.operation:has(:target) { border-color: var(--focus); }
.inside { padding: .5rem .75rem 1rem; scroll-margin-top: 5rem; }
.method { font: 600 .75rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .125rem 1rem; margin: .75rem 0; font-size: .875rem; }
.facts dt { color: var(--dim); } .facts dd { margin: 0; }
.required { color: var(--delete); font-size: .75rem; }
.dim { color: var(--dim); }
@media (max-width: 52rem) { .layout { display: block; } nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); } main { padding: 1rem; } td:first-child { white-space: normal; } }
@media print { nav { display: none; } .layout { display: block; } }
`
