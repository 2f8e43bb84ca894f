/*
 * What a shell needs to ask `slipway __complete <words…>` for candidates: the words so far, the last one unfinished. Each
 * line of the answer is a candidate, a tab and what it is; bash shows only the first part.
 */

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

const BASH = `# bash completion for slipway
_slipway() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line
  COMPREPLY=()
  # Read by the shell itself: names come from a server and are never evaluated.
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(slipway __complete "\${words[@]}" 2>/dev/null)
}
complete -o nosort -F _slipway slipway 2>/dev/null || complete -F _slipway slipway
`

const ZSH = `#compdef slipway
_slipway() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(slipway __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'slipway' candidates
}
if [ "$funcstack[1]" = "_slipway" ]; then
  _slipway "$@"
else
  compdef _slipway slipway
fi
`

const FISH = `# fish completion for slipway
function __slipway_complete
  set -l words (commandline -opc)[2..-1] (commandline -ct)
  slipway __complete $words 2>/dev/null
end
complete -c slipway -f -a '(__slipway_complete)'
`

/** The completion script of a shell. */
export function scriptOf(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell]
}
