"""What the engine answers. The same question always gets the same answer, so that answers can be tested."""

import hashlib
import re

FILLERS = {"a", "an", "and", "are", "can", "do", "does", "how", "in", "is", "it", "of", "on", "or", "that", "the", "this", "to"}
FILLERS |= {"was", "what", "when", "where", "which", "who", "why", "with"}


def subject(message: str) -> str:
    """The words of a message that carry its meaning, in order and each once."""
    words = re.findall(r"[\w'-]+", message.lower())
    kept = [word for word in words if word not in FILLERS] or words
    return " ".join(dict.fromkeys(kept))


def answer(instructions: str, message: str) -> str:
    """The answer to a message, given the agent's instructions."""
    about = subject(message) or "nothing"
    reference = hashlib.sha256(f"{instructions}\n{message}".encode()).hexdigest()[:8]
    return f"About {about}: noted. [{reference}]"
