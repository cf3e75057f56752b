"""Shell completion: commands, the module's functions and their flags, as help lists them."""

SCRIPT = """_dagger_podman() {
    local word="${COMP_WORDS[COMP_CWORD]}" words at=1
    while [[ $at -lt $COMP_CWORD && "${COMP_WORDS[at]}" == -* ]]; do
        case "${COMP_WORDS[at]}" in -m|--mod|-o|--output|--progress) at=$((at + 1)) ;; esac
        at=$((at + 1))
    done
    if [ "$COMP_CWORD" -eq "$at" ]; then
        words="call check functions session prune doctor completion version"
    else case "${COMP_WORDS[at]}" in
        call) words=$(dagger-podman "${COMP_WORDS[@]:1:COMP_CWORD-1}" --help --silent 2>/dev/null | awk '
            /^[A-Z]+$/ { part = $1 }
            part == "FUNCTIONS" && /^  [a-z]/ { print $1 }
            (part == "ARGUMENTS" || part == "OPTIONS") && match($0, /--[a-z-]+/) { print substr($0, RSTART, RLENGTH) }') ;;
        check) words=$(dagger-podman "${COMP_WORDS[@]:1:at}" --list --silent 2>/dev/null |
            awk 'NR > 1 { sub(/.*:/, "", $1); print $1 }') ;;
        prune) words="--older-than --keep-size --all" ;;
        doctor) words="--install" ;;
        completion) words="bash zsh" ;;
    esac fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _dagger_podman dagger-podman
"""


def script(shell: str) -> str:
    """What a shell's start-up file evaluates: `source <(dagger-podman completion bash)`."""
    return "autoload -U +X bashcompinit && bashcompinit\n" + SCRIPT if shell == "zsh" else SCRIPT
