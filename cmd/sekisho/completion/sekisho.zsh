#compdef sekisho
# Completion of sekisho for zsh: source it, or install it in $fpath as _sekisho
_sekisho() {
	local found files=
	local -a lines
	found=$(${(Q)words[1]} __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null) || files=1
	if [[ -n $found ]]; then
		lines=("${(@f)found}")
		lines=("${(@)lines//:/\\:}")
		lines=("${(@)lines/$'\t'/:}")
		_describe -V sekisho lines
	fi
	[[ -n $files ]] && _files
}
if [[ $funcstack[1] == _sekisho ]]; then
	_sekisho "$@"
else
	compdef _sekisho sekisho
fi
