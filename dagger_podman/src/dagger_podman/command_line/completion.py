"""Shell completion: commands, the module's functions and their flags, as help lists them."""

SCRIPT = """_dagger_podman() {
    local word="${COMP_WORDS[COMP_CWORD]}" words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="call check functions session prune doctor completion"
    elif [ "${COMP_WORDS[1]}" = call ]; then
        words=$(dagger-podman "${COMP_WORDS[@]:1:COMP_CWORD-1}" --help --silent 2>/dev/null | awk '
            /^[A-Z]+$/ { part = $1 }
            part == "FUNCTIONS" && /^  [a-z]/ { print $1 }
            (part == "ARGUMENTS" || part == "OPTIONS") && match($0, /--[a-z-]+/) { print substr($0, RSTART, RLENGTH) }')
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _dagger_podman dagger-podman
"""


def script(shell: str) -> str:
    """What a shell's start-up file evaluates: `source <(dagger-podman completion bash)`."""
    return "autoload -U +X bashcompinit && bashcompinit\n" + SCRIPT if shell == "zsh" else SCRIPT
