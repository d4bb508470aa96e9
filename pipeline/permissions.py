"""Who may do what: separation of duties (三权分立), checked once, in the service.

Who makes seals does not use them; who uses them does not audit. On a single try-out machine one
person holds all roles, and the event log names the role each act was done in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pipeline.errors import Forbidden


class Role(StrEnum):
    """The hats people wear."""

    SEAL_OPERATOR = "seal_operator"
    SIGNER = "signer"
    ARCHIVIST = "archivist"


class Permission(StrEnum):
    """scope:resource:action."""

    MAKE_SEALS = "seals:seal:make"
    LIST_SEALS = "seals:seal:list"
    CHECK_BIDS = "bids:package:check"
    SIGN_BIDS = "bids:package:sign"
    STAMP_BIDS = "bids:package:stamp"
    EDIT_PLANS = "bids:plan:edit"
    VERIFY = "documents:signature:verify"
    READ_ARCHIVE = "archive:document:read"
    VOID_DOCUMENTS = "documents:signature:void"


_ROLES: Mapping[Permission, frozenset[Role]] = MappingProxyType(
    {
        Permission.MAKE_SEALS: frozenset({Role.SEAL_OPERATOR}),
        Permission.LIST_SEALS: frozenset(Role),
        Permission.CHECK_BIDS: frozenset({Role.SIGNER}),
        Permission.SIGN_BIDS: frozenset({Role.SIGNER}),
        Permission.STAMP_BIDS: frozenset({Role.SIGNER}),
        Permission.EDIT_PLANS: frozenset({Role.SIGNER}),
        Permission.VERIFY: frozenset(Role),
        Permission.READ_ARCHIVE: frozenset({Role.ARCHIVIST}),
        Permission.VOID_DOCUMENTS: frozenset({Role.SIGNER}),  # it takes the signing key
    }
)


@dataclass(frozen=True)
class Actor:
    """Somebody who asks: a name for the log, and the roles held."""

    name: str
    roles: frozenset[Role]


def check_may(actor: Actor, permission: Permission) -> str:
    """Return "name (role)" for the event log.

    Raises:
        Forbidden: none of the actor's roles may do this.
    """
    held = sorted(_ROLES[permission] & actor.roles)
    if not held:
        allowed = ", ".join(sorted(_ROLES[permission]))
        raise Forbidden(
            f"{actor.name} may not {permission}; ask someone with the role {allowed}",
            zh=f"{actor.name} 无权执行 {permission}；需要角色：{allowed}",
        )
    return f"{actor.name} ({held[0]})"
