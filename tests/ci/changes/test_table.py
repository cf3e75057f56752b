"""What a plan tells to other programs than this one."""

import json

from prodgy_ci.changes.table import matrix


def test_the_matrix_has_a_leg_of_letters_digits_and_underscores_for_each_service() -> None:
    assert json.loads(matrix(["api", "mail-sender"])) == {
        "api": {"service": "api"},
        "mail_sender": {"service": "mail-sender"},
    }


def test_nothing_to_build_is_no_leg() -> None:
    assert matrix([]) == "{}"
