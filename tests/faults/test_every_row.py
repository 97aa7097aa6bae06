"""Every row of the list of faults has a test, through the command line, or says why it cannot have one."""

from faults.rows import IN_PART, NOT_PRODUCED, ROWS, named_by_row

THROUGH_THE_COMMAND_LINE = ("cli/", "faults/")


def test_every_row_has_a_test_or_a_reason():
    """A test that is renamed or removed with its mark, and a reason that has become untrue, are found here."""
    tests = named_by_row()

    assert list(ROWS) == list(range(1, 50))
    assert sorted(set(ROWS) - set(tests)) == sorted(NOT_PRODUCED)
    assert set(tests) <= set(ROWS)
    assert set(IN_PART) <= set(tests)


def test_every_fault_is_produced_through_the_command_line():
    """A mark on a test of the library alone would prove too little."""
    everywhere = [name for names in named_by_row().values() for name in names]

    assert [name for name in everywhere if not name.startswith(THROUGH_THE_COMMAND_LINE)] == []
