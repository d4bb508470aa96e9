"""The table of states: where each leads, and that nothing signed is signed again."""

import pytest

from pipeline.errors import WrongState
from pipeline.jobs import MOVING, STATE_LABELS, TRANSITIONS, Act, next_state
from storage.schema import JobState


def test_an_act_out_of_turn_is_refused() -> None:
    with pytest.raises(WrongState, match="sign"):
        next_state(JobState.RECEIVED, Act.SIGN)


def test_every_moving_state_leads_on() -> None:
    for state in MOVING:
        assert any(source is state and to is not JobState.REFUSED for (source, _), to in TRANSITIONS.items())


def test_no_way_leads_from_a_signed_document_back_to_signing() -> None:
    reached = {JobState.SIGNED}
    while True:
        more = {
            to
            for (source, act), to in TRANSITIONS.items()
            if source in reached and act not in (Act.REFUSE, Act.REOPEN)  # REOPEN: only what is not signed
        }
        if more <= reached:
            break
        reached |= more
    assert not reached & {JobState.RECEIVED, JobState.STAMPED, JobState.SIGNING}


def test_every_state_can_be_reached() -> None:
    reached = set(TRANSITIONS.values()) | {JobState.RECEIVED}
    assert set(JobState) == reached


def test_what_is_being_signed_cannot_be_withdrawn() -> None:
    after_claiming = {_ for (_, act) in TRANSITIONS if act is Act.SIGN} | {JobState.SIGNED}
    for state in (*after_claiming, JobState.TIMESTAMPED, JobState.VERIFIED, JobState.ARCHIVED):
        with pytest.raises(WrongState):
            next_state(state, Act.WITHDRAW)


def test_every_state_has_a_name_for_people() -> None:
    assert set(STATE_LABELS) == set(JobState)
    assert len(set(STATE_LABELS.values())) == len(JobState)
