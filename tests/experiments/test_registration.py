import hashlib
import json
from dataclasses import replace

import pytest

from experiments.registration import Registration, changes, read, versions, write

FIRST = Registration("autumn", "generated memes are no worse", "2026-09-07", "ab" * 32)


def test_written_file_is_hashed_and_reads_back(tmp_path):
    written = write(FIRST, tmp_path)
    assert written.path.name == "registration-v1.json"
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    assert read(written.path) == written
    assert json.loads(written.path.read_text())["looks"] == 8


def test_writing_the_same_again_changes_nothing(tmp_path):
    assert write(FIRST, tmp_path) == write(FIRST, tmp_path)


def test_a_silent_change_is_refused(tmp_path):
    write(FIRST, tmp_path)
    with pytest.raises(FileExistsError, match="version"):
        write(replace(FIRST, margin=0.1), tmp_path)


def test_a_new_version_stands_beside_the_old(tmp_path):
    second = replace(FIRST, margin=0.1, version=2, reason="the owner asked for it")
    write(FIRST, tmp_path)
    write(second, tmp_path)
    assert [item.registration for item in versions(tmp_path)] == [FIRST, second]
    assert changes(FIRST, second) == {"margin": (0.05, 0.1)}


def test_a_version_needs_its_predecessor_and_a_reason(tmp_path):
    with pytest.raises(ValueError, match="no version 1"):
        write(replace(FIRST, version=2, reason="x"), tmp_path)
    with pytest.raises(ValueError, match="reason"):
        replace(FIRST, version=2)


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match=r"looks.*margin"):
        replace(FIRST, looks=0, margin=2.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other"}'])
def test_a_file_that_is_no_registration_is_named(tmp_path, text):
    path = tmp_path / "registration-v1.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"registration-v1\.json"):
        read(path)
