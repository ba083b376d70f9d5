# Completion of sekisho for bash: source it, or install it as
# /usr/share/bash-completion/completions/sekisho
_sekisho() {
	local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words found cut files=
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	cut=${words[-1]%"$2"} # bash takes words apart at @ : and =
	found=$("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1}" 2>/dev/null) || files=1
	COMPREPLY=()
	if [[ -n $found ]]; then
		mapfile -t COMPREPLY <<<"$found"
		COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
		COMPREPLY=("${COMPREPLY[@]#"$cut"}")
	fi
	if [[ -n $files ]]; then
		compopt -o filenames
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2")
	fi
}
complete -F _sekisho sekisho
