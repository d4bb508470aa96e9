"""The records of seals, and of the certificates they are bound to."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import AlreadyBound, NotFound
from storage.events import writing
from storage.objects import Digest
from storage.rows import CertificateRecord, SealRecord
from storage.schema import certificates, seal_bindings, seals


class SealBook:
    """The part of the records that knows seals and certificates."""

    _database: Database

    def add_certificate(self, certificate: CertificateRecord) -> None:
        """Record a certificate; one that is known changes nothing.

        Raises:
            RecordRefused: no SHA-256, naive times, or a validity that ends before it begins.
        """
        with writing(self._database) as transaction:
            known = sa.select(certificates.c.fingerprint).where(
                certificates.c.fingerprint == certificate.fingerprint
            )
            if transaction.connection.execute(known).first() is None:
                transaction.connection.execute(sa.insert(certificates), vars(certificate))

    def certificate(self, fingerprint: Digest) -> CertificateRecord:
        """Return a certificate's record.

        Raises:
            NotFound: not recorded.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(certificates).where(certificates.c.fingerprint == fingerprint)
            ).first()
        if row is None:
            raise NotFound(
                f"certificate {fingerprint[:16]}… is not recorded; add it first",
                zh=f"证书 {fingerprint[:16]}… 未登记，请先登记",
            )
        return CertificateRecord(**row._mapping)

    def add_seal(self, seal: SealRecord, *, actor: str, at: datetime) -> None:
        """Record a seal; the same seal again changes nothing.

        Raises:
            AlreadyBound: another seal has this id or this name.
            RecordRefused: larger than the canvas, no SHA-256, naive times.
        """
        with writing(self._database) as transaction:
            rows = transaction.connection.execute(
                sa.select(seals).where((seals.c.id == seal.id) | (seals.c.name == seal.name))
            ).all()
            if rows:
                if [_seal(row) for row in rows] == [seal]:
                    return
                raise AlreadyBound(
                    f"seal {seal.name!r}: another seal has this name or id; choose another name",
                    zh=f"印章“{seal.name}”：名称或编号已被另一枚印章占用，请换一个名称",
                )
            transaction.connection.execute(
                sa.insert(seals),
                {
                    **vars(seal),
                    "ink_box_mm": list(seal.ink_box_mm),
                    "text_slots": [dict(slot) for slot in seal.text_slots],
                },
            )
            detail = {
                "seal": seal.id,
                "name": seal.name,
                "image_digest": seal.image_digest,
                "eseal_digest": seal.eseal_digest,
            }
            transaction.append("seal_added", detail, actor=actor, at=at)

    def bind_seal(self, seal_id: str, fingerprint: Digest, *, actor: str, at: datetime) -> None:
        """Bind a seal to its one certificate; the same binding again changes nothing.

        Raises:
            AlreadyBound: it is bound to another certificate.
            NotFound: the seal or the certificate is not recorded.
        """
        with writing(self._database) as transaction:
            connection = transaction.connection
            bound = _bound(connection, seal_id)
            if bound == fingerprint:
                return
            if bound is not None:
                raise AlreadyBound(
                    f"seal {seal_id} is bound to certificate {bound[:16]}…; make a new seal for another one",
                    zh=f"印章 {seal_id} 已绑定证书 {bound[:16]}…；如需绑定其他证书请重新制章",
                )
            if connection.execute(sa.select(seals.c.id).where(seals.c.id == seal_id)).first() is None:
                raise _no_seal(seal_id)
            known = sa.select(certificates.c.fingerprint).where(certificates.c.fingerprint == fingerprint)
            if connection.execute(known).first() is None:
                raise NotFound(
                    f"certificate {fingerprint[:16]}… is not recorded; add it before binding a seal to it",
                    zh=f"证书 {fingerprint[:16]}… 未登记，请先登记再绑定印章",
                )
            values = {"seal_id": seal_id, "certificate_fingerprint": fingerprint}
            connection.execute(sa.insert(seal_bindings), values)
            transaction.append(
                "seal_bound", {"seal": seal_id, "certificate": fingerprint}, actor=actor, at=at
            )

    def bound_certificate(self, seal_id: str) -> Digest | None:
        """Return the fingerprint of the certificate a seal is bound to."""
        with self._database.reading() as connection:
            return _bound(connection, seal_id)

    def seal(self, name_or_id: str) -> SealRecord:
        """Return a seal by its id or its name.

        Raises:
            NotFound: no such seal.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(seals).where((seals.c.id == name_or_id) | (seals.c.name == name_or_id))
            ).all()
        if not rows:
            raise _no_seal(name_or_id)
        return next((seal for seal in map(_seal, rows) if seal.id == name_or_id), _seal(rows[0]))

    def seals(self) -> list[SealRecord]:
        """Return every seal by name."""
        with self._database.reading() as connection:
            return [_seal(row) for row in connection.execute(sa.select(seals).order_by(seals.c.name))]


def _bound(connection: sa.Connection, seal_id: str) -> Digest | None:
    query = sa.select(seal_bindings.c.certificate_fingerprint).where(seal_bindings.c.seal_id == seal_id)
    return connection.execute(query).scalar_one_or_none()


def _seal(row: sa.Row[Any]) -> SealRecord:
    x_mm, y_mm, w_mm, h_mm = row.ink_box_mm
    return SealRecord(
        **{
            **row._mapping,
            "ink_box_mm": (x_mm, y_mm, w_mm, h_mm),
            "text_slots": tuple(row.text_slots),
        }
    )


def _no_seal(name_or_id: str) -> NotFound:
    return NotFound(
        f"no seal {name_or_id!r} is recorded; list the seals, or make it first",
        zh=f"没有名为“{name_or_id}”的印章，请查看印章列表或先制章",
    )
