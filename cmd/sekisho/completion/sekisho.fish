# Completion of sekisho for fish: source it, or install it as
# /usr/share/fish/vendor_completions.d/sekisho.fish
function __sekisho_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..] 2>/dev/null)
    or __fish_complete_path (commandline -ct)
    test (count $found) -gt 0; and printf '%s\n' $found
end
complete -c sekisho -f -a '(__sekisho_complete)'
