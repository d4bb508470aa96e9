"""Separation of duties: who makes seals does not use them; who uses them does not audit."""

import pytest

from pipeline.errors import Forbidden
from pipeline.permissions import Actor, Permission, Role, check_may


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        (Role.SEAL_OPERATOR, Permission.SIGN_BIDS),
        (Role.SEAL_OPERATOR, Permission.READ_ARCHIVE),
        (Role.SEAL_OPERATOR, Permission.EDIT_PLANS),
        (Role.ARCHIVIST, Permission.EDIT_PLANS),
        (Role.SIGNER, Permission.MAKE_SEALS),
        (Role.SIGNER, Permission.READ_ARCHIVE),
        (Role.ARCHIVIST, Permission.SIGN_BIDS),
        (Role.ARCHIVIST, Permission.MAKE_SEALS),
    ],
)
def test_another_ones_duty_is_forbidden(role: Role, permission: Permission) -> None:
    with pytest.raises(Forbidden, match="may not"):
        check_may(Actor("li", frozenset({role})), permission)


def test_the_log_names_the_role_an_act_was_done_in() -> None:
    actor = Actor("li", frozenset(Role))
    assert check_may(actor, Permission.SIGN_BIDS) == "li (signer)"
    assert check_may(actor, Permission.READ_ARCHIVE) == "li (archivist)"


def test_who_has_no_role_may_nothing() -> None:
    for permission in Permission:
        with pytest.raises(Forbidden):
            check_may(Actor("li", frozenset()), permission)
