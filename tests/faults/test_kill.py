"""`kill -9` at random moments: after `sop resume` everything is done once, and the record is whole (law 4)."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.faults.offices import Office, check_whole, go_on, resume

GOES_ON = "after sop resume each task has one finished outcome, none ran twice, the chain verifies"


def kill_often(folder: Path, number: int) -> None:
    """Measure an undisturbed run, then kill that many at random moments of it."""
    seed = int(os.environ.get("SOP_KILL_SEED", random.SystemRandom().randrange(10**9)))
    print(f"SOP_KILL_SEED={seed}")
    chance = random.Random(seed)
    undisturbed = Office(folder / "undisturbed")
    begun = time.monotonic()
    assert undisturbed.run().wait(60) == 0
    took = time.monotonic() - begun
    check_whole(undisturbed)
    for count in range(number):
        office = Office(folder / str(count))
        process = office.run()
        time.sleep(chance.uniform(0.2, 1.0) * took)  # the random moment itself
        process.kill()
        process.wait()
        go_on(office)


@pytest.mark.promise("Power cut", "kill -9 at five random moments of a run", GOES_ON)
def test_a_run_killed_at_five_random_moments_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 5)


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.promise("Power cut", "kill -9 at twenty random moments of a run over 20 targets", GOES_ON)
def test_a_run_killed_at_twenty_random_moments_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 20)


@pytest.mark.promise("Power cut", "kill -9 again and again, also of the run that goes on", GOES_ON)
def test_a_run_killed_again_and_again_still_ends(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    process = office.run()
    for pause in (0.6, 0.8, 1.0):
        time.sleep(pause)  # the moment of the kill
        process.kill()
        process.wait()
        if not (office.folder / "records" / "journal.sqlite").exists() or not office.events():
            process = office.run()
        else:
            process = office.begin("resume", "last")
    process.wait(60)
    resume(office)
    check_whole(office)
