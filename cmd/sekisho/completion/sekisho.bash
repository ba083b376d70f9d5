# Completion of sekisho for bash: source it, or install it as
# /usr/share/bash-completion/completions/sekisho
_sekisho() {
	local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words current found cut files=
	read -a words <<<"$line" # without -r: a backslash keeps a blank in its word
	[[ $line == *[[:space:]] && $line != *\\[[:space:]] ]] && words+=("")
	read current <<<"$2"
	cut=${words[-1]%"$current"} # bash takes words apart at @ : and =
	found=$("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1}" 2>/dev/null) || files=1
	COMPREPLY=()
	if [[ -n $found ]]; then
		mapfile -t COMPREPLY <<<"$found"
		COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
		COMPREPLY=("${COMPREPLY[@]#"$cut"}")
		# an account may hold what a shell would take apart, or run
		[[ -n $files ]] || mapfile -t COMPREPLY < <(printf '%q\n' "${COMPREPLY[@]}")
	fi
	if [[ -n $files ]]; then
		compopt -o filenames
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2")
	fi
}
complete -F _sekisho sekisho
