"""The list of the end-to-end tests' stages."""

from __future__ import annotations

from pathlib import Path

from stages import STAGES, mismatches, stage_of

FOLDER = Path(__file__).parents[1] / "e2e"
FILES = [stage.file for stage in STAGES]


def test_the_list_and_the_folder_agree() -> None:
    assert mismatches(path.name for path in FOLDER.iterdir()) == []


def test_each_stage_is_listed_once() -> None:
    assert len(set(FILES)) == len(FILES)


def test_nothing_runs_after_the_teardown() -> None:
    assert STAGES[-1].name == "teardown"


def test_an_unlisted_file_is_told_with_what_to_do() -> None:
    [message] = mismatches([*FILES, "conftest.py", "test_new.py"])
    assert message == "test_new.py is not a stage: add it to STAGES in tests/e2e/stages.py, where it has to run."


def test_a_stage_without_a_file_is_told() -> None:
    assert mismatches(FILES[1:]) == [f"{FILES[0]} does not exist: write it, or remove the stage '{STAGES[0].name}'."]


def test_a_stage_is_found_by_its_file() -> None:
    assert stage_of("test_release.py") in STAGES
    assert stage_of("newest.py") is None
