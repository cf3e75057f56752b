"""What a run did, for people and for Azure DevOps."""

from collections.abc import Mapping

from . import annotations, page, run, summary, verdict


def complete(files: Mapping[str, str]) -> dict[str, str]:
    """The files of a run, by path, with summary.md, report.html and verdict.json; none holds a command to the agent."""
    made = run.read(files)
    judged = verdict.judge(made)
    added = {
        "summary.md": summary.markdown(made, judged),
        "report.html": page.page(made, judged),
        "verdict.json": judged.json_text(),
    }
    return {**annotations.neutralise_files(files), **added}
