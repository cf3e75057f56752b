"""The plan of a commit on a command line: `python -m prodgy_ci.changes --ref refs/heads/main`."""

import gc
import sys
from collections.abc import Sequence

from ..errors import ProdgyError
from .options import parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the plan and returns 0; 2 for bad input, 3 where it could not tell what changed."""
    gc.disable()  # a plan is made and printed sooner than its garbage is found
    options = parse(sys.argv[1:] if arguments is None else arguments)
    from .planner import make_plan

    try:
        written = make_plan(options).json_bytes()
    except ProdgyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if options.format == "table":
        from .plan import Plan
        from .table import table

        written = table(Plan.model_validate_json(written)).encode()
    sys.stdout.buffer.write(written)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
